"""What a logits processor is, a list of them, and what several of them share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class LogitsProcessor:
    """Changes the scores of the next token; subclass it and write `__call__`.

    A subclass may take further arguments by name: `LogitsProcessorList` hands them through.
    """

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Ids so far (rows, length) and scores (rows, vocabulary) -> new scores; the old ones stay as they are."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(input_ids, scores): write one")


LogitsWarper = LogitsProcessor  # v4's name for those that only count in sampling


class LogitsProcessorList(list):
    """Processors, applied one after another."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """Keywords go to the processors that take them. Raises ValueError if one lacks an argument that it needs."""
        for processor in self:
            scores = processor(input_ids, scores, **_taken(processor, kwargs))
        return scores


def _taken(processor: Callable[..., Tensor], given: dict[str, Any]) -> dict[str, Any]:
    """Of the given keywords, those that a processor takes."""
    _, _, *more = inspect.signature(processor).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in more):
        return given
    missing = [each.name for each in more if each.default is each.empty and each.name not in given]
    if missing:
        raise ValueError(
            f"{type(processor).__name__} also needs {', '.join(missing)}, which this search does not give: give them "
            "defaults, or call it with them"
        )
    return {each.name: given[each.name] for each in more if each.name in given}


def with_own(built_in: Iterable[T], own: Iterable[T]) -> list[T]:
    """The user's own take the places of built-in ones of the same class; the others follow behind."""
    own = list(own)
    merged = [next((mine for mine in own if type(mine) is type(each)), each) for each in built_in]
    return merged + [mine for mine in own if not any(mine is each for each in merged)]


class TokenSet:
    """Some ids, as a mask over the vocabulary that is made once. Ids that the vocabulary lacks do not count."""

    def __init__(self, ids: int | Iterable[int] | Tensor, name: str, device: Any = None) -> None:
        several = ids.reshape(-1).tolist() if isinstance(ids, Tensor) else ids
        listed = list(several) if isinstance(several, Iterable) else [several]
        if not all(map(is_token, listed)):
            raise ValueError(f"{name} is {ids!r}; expected a token's id, or a list of ids, whole numbers from 0")
        self.ids = torch.tensor(listed, dtype=torch.long, device=device)
        self._mask: Tensor | None = None

    def mask(self, scores: Tensor) -> Tensor:
        """True at the ids, (vocabulary,)."""
        if self._mask is None or self._mask.shape[0] != scores.shape[-1] or self._mask.device != scores.device:
            self._mask = torch.isin(torch.arange(scores.shape[-1], device=scores.device), self.ids.to(scores.device))
        return self._mask

    def only(self, scores: Tensor) -> Tensor:
        """Scores that leave a choice among these ids only, each at 0."""
        return torch.full_like(scores, -torch.inf).masked_fill(self.mask(scores), 0)

    def without(self, scores: Tensor) -> Tensor:
        """Scores that exclude these ids."""
        return scores.masked_fill(self.mask(scores), -torch.inf)


# --- checks of arguments --------------------------------------------------------------------------------------------


def is_token(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


def whole(name: str, value: Any, least: int, remedy: str = "") -> int:
    """A whole number from `least`, or ValueError."""
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number from {least}{remedy and f': {remedy}'}")
    return int(value)


def number(name: str, value: Any, fits: Callable[[float], bool], wanted: str) -> float:
    """A number that fits, or ValueError. (NaN fits nowhere.)"""
    if not isinstance(value, Real) or isinstance(value, bool) or not fits(float(value)):
        raise ValueError(f"{name} is {value!r}; expected {wanted}")
    return float(value)
