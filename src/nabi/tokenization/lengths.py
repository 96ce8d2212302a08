"""How long rows may and must be: what `padding`, `truncation` and `max_length` mean together."""

from __future__ import annotations

import logging
from functools import cache
from numbers import Integral
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

NO_LIMIT = int(1e30)  # model_max_length of a tokenizer that names none; HF's number, for it is written to files
_LARGE = int(1e20)

PADDING = ("longest", "max_length", "do_not_pad")
TRUNCATION = ("longest_first", "only_first", "only_second", "do_not_truncate")


class Lengths(NamedTuple):
    """`padding` is "longest", "max_length" or None; `truncation` one of the three strategies or None."""

    padding: str | None
    truncation: str | None
    max_length: int | None
    multiple_of: int | None = None

    def padded(self, longest: int) -> int:
        """The length to pad to, if the longest row has `longest` tokens. Rows that are longer stay as they are."""
        length = self.max_length if self.padding == "max_length" and self.max_length is not None else longest
        if self.multiple_of:
            length = -(-length // self.multiple_of) * self.multiple_of
        return length


AS_LONG_AS_IT_IS = Lengths(None, None, None)


def resolve(
    padding: Any,
    truncation: Any,
    max_length: int | None,
    multiple_of: int | None,
    model_max_length: int,
    verbose: bool = True,
) -> Lengths:
    """Read the three arguments as people write them. Raises ValueError for an unknown word or a length below 1."""
    if padding is False and truncation in (None, False) and max_length is None and multiple_of is None:
        return AS_LONG_AS_IT_IS
    if truncation is None and padding is False and max_length is not None:
        truncation = "longest_first"  # max_length alone means: cut there
    to_pad = _choice("padding", padding, PADDING)
    to_cut = _choice("truncation", truncation, TRUNCATION)
    for name, number in (("max_length", max_length), ("pad_to_multiple_of", multiple_of)):
        if number is not None and (not isinstance(number, Integral) or number < 1):
            raise ValueError(f"{name}={number!r}: it must be a whole number of at least 1, or None.")
    if to_pad == "longest" and to_cut is None and max_length is not None and verbose:
        _say_that_max_length_has_no_effect()
    if max_length is None and (to_pad == "max_length" or to_cut is not None):
        if model_max_length > _LARGE:  # nobody knows the model's limit: pad and cut nothing
            to_pad, to_cut = (None if to_pad == "max_length" else to_pad), None
        else:
            max_length = model_max_length
    if to_pad and to_cut and multiple_of and max_length is not None and max_length % multiple_of:
        fitting = max_length // multiple_of * multiple_of or multiple_of
        raise ValueError(
            f"max_length={max_length} is no multiple of pad_to_multiple_of={multiple_of}, so rows cut to the "
            f"one could not be padded to the other: use max_length={fitting}."
        )
    return Lengths(to_pad, to_cut, max_length, multiple_of)


@cache
def _say_that_max_length_has_no_effect() -> None:
    logger.warning(
        "max_length has no effect with padding=True alone: add truncation=True to cut longer texts, or "
        "padding='max_length' to pad to it."
    )


def _choice(name: str, value: Any, words: tuple[str, ...]) -> str | None:
    """The first word for True, None for False, None and the last word ("do_not_…")."""
    value = getattr(value, "value", value)  # an enum
    if value is True:
        return words[0]
    if value is False or value is None or value == words[-1]:
        return None
    if value not in words:
        allowed = ", ".join(repr(word) for word in words)
        raise ValueError(f"{name}={value!r} is unknown: use True, False, {allowed}.")
    return value
