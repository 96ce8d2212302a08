"""Padding what is already encoded: lists of examples or batches, of lists, arrays or tensors, as collators do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .batch_encoding import BatchEncoding
from .encoding import PadWith
from .lengths import Lengths
from .tensors import kind_of, to_list

SEQUENCES = ("attention_mask", "token_type_ids", "special_tokens_mask")  # padded beside the ids; no other key is


def pad_examples(
    encoded: Any,
    lengths: Lengths,
    pad: PadWith | None,
    main_input: str,
    with_attention_mask: bool,
    return_tensors: str | None,
) -> BatchEncoding:
    """Pad one example, a batch, or a list of examples (Mappings with the key `main_input`).

    Keys that are no sequences of tokens, such as labels, are passed on unpadded. If the ids are tensors and
    `return_tensors` is None, tensors of that kind come back.
    """
    data = _as_columns(encoded, main_input)
    ids = data[main_input]
    if ids is None or (not kind_of(ids) and len(ids) == 0):
        return BatchEncoding({**data, "attention_mask": []} if with_attention_mask else data)
    kind = return_tensors or kind_of(ids) or kind_of(ids[0])
    data = {key: to_list(value) for key, value in data.items()}
    ids = data[main_input]
    if not isinstance(ids[0], (list, tuple)):
        if not isinstance(ids[0], int):
            raise TypeError(f"{main_input!r} must hold whole numbers, but its first value is {ids[0]!r}.")
        row = _pad_row(data, lengths.padded(len(ids)), pad, main_input, with_attention_mask)
        return BatchEncoding(row, tensor_type=kind)
    _check_sizes(data, len(ids))
    length = lengths.padded(max(len(row) for row in ids))
    rows = [
        _pad_row({key: value[i] for key, value in data.items()}, length, pad, main_input, with_attention_mask)
        for i in range(len(ids))
    ]
    return BatchEncoding({key: [row[key] for row in rows] for key in rows[0]}, tensor_type=kind)


def _as_columns(encoded: Any, main_input: str) -> dict[str, Any]:
    if isinstance(encoded, (list, tuple)) and encoded and isinstance(encoded[0], Mapping):
        for index, example in enumerate(encoded):
            if set(example.keys()) != set(encoded[0].keys()):
                differing = sorted(set(example.keys()) ^ set(encoded[0].keys()))
                raise ValueError(
                    f"Example {index} and example 0 differ in the keys {differing}: give all examples the same."
                )
        encoded = {key: [example[key] for example in encoded] for key in encoded[0].keys()}  # noqa: SIM118
    if not isinstance(encoded, Mapping):
        raise TypeError(f"pad() takes an encoding, a dict, or a list of them, not {type(encoded).__name__}.")
    if main_input not in encoded:
        raise ValueError(
            f"pad() needs the key {main_input!r}; it was given {sorted(encoded)}. Call the tokenizer first."
        )
    return dict(encoded)


def _check_sizes(data: dict[str, Any], size: int) -> None:
    for key, value in data.items():
        if not hasattr(value, "__len__") or len(value) != size:
            found = len(value) if hasattr(value, "__len__") else repr(value)
            raise ValueError(f"{key!r} has {found} rows, but there are {size} rows of ids: give one for each.")


def _pad_row(
    row: dict[str, Any], length: int, pad: PadWith | None, main_input: str, with_attention_mask: bool
) -> dict[str, Any]:
    size = len(row[main_input])
    if with_attention_mask:
        row.setdefault("attention_mask", [1] * size)
    missing = length - size
    if pad is None or missing <= 0:
        return row
    fill = {main_input: pad.token_id, "attention_mask": 0, "token_type_ids": pad.type_id, "special_tokens_mask": 1}
    for key, value in fill.items():
        if key in row and not _is_square(row[key]):
            padding = [value] * missing
            row[key] = [*row[key], *padding] if pad.side == "right" else [*padding, *row[key]]
    return row


def _is_square(mask: Any) -> bool:
    """Whether it is a mask of (tokens, tokens), as packed batches use: that is passed on unpadded."""
    return isinstance(mask, (list, tuple)) and len(mask) > 0 and isinstance(mask[0], (list, tuple))
