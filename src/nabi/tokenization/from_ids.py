"""Ids that are made already -> what a model takes: cut, framed by special tokens, padded. (Methods of HF's v4.)"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from .batch_encoding import BatchEncoding
from .lengths import TRUNCATION, resolve
from .tensors import tensor_kind, to_list
from .text_warnings import warn_if_too_long

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast


def prepare_for_model(
    tokenizer: PreTrainedTokenizerFast,
    ids: Any,
    pair_ids: Any = None,
    add_special_tokens: bool = True,
    padding: bool | str = False,
    truncation: bool | str | None = None,
    max_length: int | None = None,
    stride: int = 0,
    pad_to_multiple_of: int | None = None,
    padding_side: str | None = None,
    return_tensors: str | None = None,
    return_token_type_ids: bool | None = None,
    return_attention_mask: bool | None = None,
    return_overflowing_tokens: bool = False,
    return_special_tokens_mask: bool = False,
    return_length: bool = False,
    verbose: bool = True,
    prepend_batch_axis: bool = False,
) -> BatchEncoding:
    """The ids of one text (and of a second, `pair_ids`), such as `convert_tokens_to_ids` gives, ready for the model.

    The arguments mean what they mean in a call of the tokenizer, but `return_overflowing_tokens` adds the keys
    `overflowing_tokens` (the ids cut off, with `stride` more) and `num_truncated_tokens`, and tensors have a batch
    axis only with `prepend_batch_axis=True`. Raises TypeError for what is no id, ValueError for lengths that cannot be.
    """
    kind = tensor_kind(return_tensors)
    ids = _checked(ids, "ids")
    pair_ids = None if pair_ids is None else _checked(pair_ids, "pair_ids")
    paired = pair_ids is not None
    lengths = resolve(padding, truncation, max_length, pad_to_multiple_of, tokenizer.model_max_length, verbose)
    if return_overflowing_tokens and paired and lengths.truncation == "longest_first":
        raise ValueError(
            "return_overflowing_tokens=True needs to know which text of the pair to cut: use truncation='only_first' "
            "or 'only_second' instead of 'longest_first'."
        )
    special = tokenizer.num_special_tokens_to_add(paired) if add_special_tokens else 0
    total = len(ids) + len(pair_ids or []) + special
    excess = 0
    if lengths.truncation is not None and lengths.max_length is not None:
        excess = max(0, total - lengths.max_length)
    ids, pair_ids, overflow = truncate_sequences(
        tokenizer, ids, pair_ids, excess, lengths.truncation or "do_not_truncate", stride
    )

    texts = [ids, pair_ids] if paired else [ids]
    if add_special_tokens:
        layout = tokenizer.layout(paired)
        row, type_ids, special_mask = layout.ids(*texts), layout.type_ids(*texts), layout.special_mask(*texts)
    else:
        row = [token_id for text in texts for token_id in text]
        type_ids = special_mask = [0] * len(row)
    data: dict[str, Any] = {"input_ids": row}
    if _wanted(tokenizer, "token_type_ids", return_token_type_ids):
        data["token_type_ids"] = type_ids
    if return_special_tokens_mask:
        data["special_tokens_mask"] = special_mask
    if lengths.max_length is None and verbose:
        warn_if_too_long(tokenizer.deprecation_warnings, [row], tokenizer.model_max_length)
    data = dict(
        tokenizer.pad(
            data,
            padding=lengths.padding or False,
            max_length=lengths.max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
        )
    )
    if return_overflowing_tokens:
        data.update(overflowing_tokens=overflow, num_truncated_tokens=excess)
    if return_length:
        data["length"] = len(data["input_ids"])
    if kind is not None:
        data = {key: np.asarray(value, dtype=np.int64) for key, value in data.items()}
    return BatchEncoding(data, tensor_type=kind, prepend_batch_axis=prepend_batch_axis)


def truncate_sequences(
    tokenizer: PreTrainedTokenizerFast,
    ids: list[int],
    pair_ids: list[int] | None = None,
    num_tokens_to_remove: int = 0,
    truncation_strategy: str = "longest_first",
    stride: int = 0,
) -> tuple[list[int], list[int] | None, list[int]]:
    """Cut ids from the tokenizer's `truncation_side`: (ids, pair_ids, the ids cut off and `stride` more beside them).

    "longest_first" takes from the longer text until both are equal, then from both alike; of a pair it does not tell
    what it took, so the third list is empty. Raises ValueError for a strategy that cannot take away so many.
    """
    strategy = getattr(truncation_strategy, "value", truncation_strategy)  # an enum
    if strategy not in TRUNCATION:
        raise ValueError(f"truncation_strategy={strategy!r} is unknown: use one of {', '.join(map(repr, TRUNCATION))}.")
    if stride < 0:
        raise ValueError(f"stride={stride} must be at least 0.")
    if num_tokens_to_remove <= 0 or strategy == "do_not_truncate":
        return ids, pair_ids, []
    if strategy == "only_second" and pair_ids is None:
        raise ValueError("truncation='only_second' cuts pair_ids, but there are none: use 'only_first' or pass them.")
    on_left = tokenizer.truncation_side == "left"
    if strategy == "longest_first" and pair_ids is not None:
        _check_enough(len(ids) + len(pair_ids), num_tokens_to_remove, strategy, "the two texts")
        first, second = _shares(len(ids), len(pair_ids), num_tokens_to_remove)
        return _cut(ids, first, 0, on_left)[0], _cut(pair_ids, second, 0, on_left)[0], []
    if strategy == "only_second":
        assert pair_ids is not None
        _check_enough(len(pair_ids) - 1, num_tokens_to_remove, strategy, "pair_ids")
        pair_ids, overflow = _cut(pair_ids, num_tokens_to_remove, stride, on_left)
        return ids, pair_ids, overflow
    # Like the engine: a text that the caller chose may not vanish, the only one there is may.
    _check_enough(len(ids) - (strategy == "only_first"), num_tokens_to_remove, strategy, "ids")
    ids, overflow = _cut(ids, num_tokens_to_remove, stride, on_left)
    return ids, pair_ids, overflow


def _shares(first: int, second: int, remove: int) -> tuple[int, int]:
    """How many tokens each of two texts of these lengths loses: the longer its surplus, then both half of the rest."""
    surplus = min(abs(first - second), remove)
    rest = remove - surplus
    if first > second:
        return surplus + rest // 2, rest - rest // 2
    return rest // 2, surplus + rest - rest // 2


def _cut(ids: list[int], remove: int, stride: int, on_left: bool) -> tuple[list[int], list[int]]:
    """What stays, and what goes together with `stride` ids that stay."""
    window = min(len(ids), remove + stride) if remove else 0
    if on_left:
        return ids[remove:], ids[:window]
    return ids[: len(ids) - remove], ids[len(ids) - window :]


def _check_enough(available: int, remove: int, strategy: str, what: str) -> None:
    if remove > available:
        raise ValueError(
            f"truncation={strategy!r} cannot take {remove} tokens away from {what}, only {max(available, 0)}: use a "
            f"larger max_length{'' if strategy == 'longest_first' else ' or longest_first'}."
        )


def _wanted(tokenizer: PreTrainedTokenizerFast, key: str, asked: bool | None) -> bool:
    return key in tokenizer.model_input_names if asked is None else asked


def _checked(ids: Any, name: str) -> list[int]:
    """A list of ids from a list, an array or a tensor."""
    ids = to_list(ids)
    if not isinstance(ids, (list, tuple)):
        hint = "; to encode text, call the tokenizer" if isinstance(ids, str) else ""
        raise TypeError(f"{name} must be a list of token ids, not {ids!r} ({type(ids).__name__}){hint}.")
    for index, token_id in enumerate(ids):
        if not isinstance(token_id, Integral) or isinstance(token_id, bool):
            hint = "; tokens become ids with convert_tokens_to_ids" if isinstance(token_id, str) else ""
            raise TypeError(f"{name}[{index}] is {token_id!r} ({type(token_id).__name__}), not a token's id{hint}.")
    return [int(token_id) for token_id in ids]
