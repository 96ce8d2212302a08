"""Texts -> BatchEncoding: encode, pad, and lay the engine's encodings out as lists or tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tokenizers import Encoding

from .batch_encoding import BatchEncoding
from .engine import Engine
from .lengths import Lengths


@dataclass(frozen=True)
class PadWith:
    """What padding is made of, and where it goes ("right" or "left")."""

    token_id: int
    token: str
    type_id: int
    side: str


@dataclass(frozen=True)
class Wanted:
    """Which keys besides input_ids the result has."""

    token_type_ids: bool
    attention_mask: bool
    special_tokens_mask: bool = False
    offset_mapping: bool = False
    length: bool = False
    overflowing_tokens: bool = False


def check_truncation(engine: Engine, rows: list[Any], lengths: Lengths, stride: int, add_special_tokens: bool) -> None:
    """Raise ValueError if max_length leaves no room: the engine would cut nothing then, and say nothing."""
    if lengths.truncation is None or lengths.max_length is None:
        return
    has_pair = any(isinstance(row, (list, tuple)) and len(row) == 2 for row in rows)
    special = engine.tokenizer.num_special_tokens_to_add(has_pair) if add_special_tokens else 0
    if lengths.max_length < special:
        raise ValueError(
            f"max_length={lengths.max_length} is less than the {special} special tokens of a "
            f"{'pair' if has_pair else 'text'}: use a larger max_length or add_special_tokens=False."
        )
    if stride < 0 or (stride > 0 and stride >= lengths.max_length - special):
        raise ValueError(
            f"stride={stride} must be at least 0 and less than max_length minus the special tokens "
            f"({lengths.max_length} - {special}), else the pieces would never move on."
        )


def pad_encodings(encodings: list[Encoding], lengths: Lengths, pad: PadWith) -> None:
    """Pad the encodings (and their overflow) in place."""
    length = lengths.padded(max(map(len, encodings)))
    for encoding in encodings:
        encoding.pad(length, direction=pad.side, pad_id=pad.token_id, pad_type_id=pad.type_id, pad_token=pad.token)


def lay_out(encodings: list[Encoding], wanted: Wanted) -> tuple[dict[str, list[Any]], list[Encoding]]:
    """One list per key with one entry per row; overflowing pieces are rows of their own, behind their text's row."""
    samples = range(len(encodings))
    if wanted.overflowing_tokens:
        pieces = [[encoding, *encoding.overflowing] for encoding in encodings]
        samples = [sample for sample, parts in enumerate(pieces) for _ in parts]  # type: ignore[assignment]
        encodings = [part for parts in pieces for part in parts]
    data: dict[str, list[Any]] = {"input_ids": [encoding.ids for encoding in encodings]}
    if wanted.token_type_ids:
        data["token_type_ids"] = [encoding.type_ids for encoding in encodings]
    if wanted.attention_mask:
        data["attention_mask"] = [encoding.attention_mask for encoding in encodings]
    if wanted.special_tokens_mask:
        data["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in encodings]
    if wanted.offset_mapping:
        data["offset_mapping"] = [encoding.offsets for encoding in encodings]
    if wanted.length:
        data["length"] = [len(ids) for ids in data["input_ids"]]
    if wanted.overflowing_tokens:
        data["overflow_to_sample_mapping"] = list(samples)
    return data, encodings


def as_batch(data: dict[str, list[Any]], encodings: list[Encoding], single: bool, tensors: str | None) -> BatchEncoding:
    """The result. One text without tensors loses its batch axis (but keeps it where it overflows into pieces)."""
    if single and tensors is None and "overflow_to_sample_mapping" not in data:
        return BatchEncoding({key: value if key == "length" else value[0] for key, value in data.items()}, encodings)
    return BatchEncoding(data, encodings, tensor_type=tensors)
