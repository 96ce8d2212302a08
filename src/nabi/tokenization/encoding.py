"""Texts -> BatchEncoding: encode, pad, and lay the engine's encodings out as lists or tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tokenizers import Encoding

from .batch_encoding import BatchEncoding
from .engine import Engine
from .frames import numbers_the_pair
from .lengths import Lengths
from .text_warnings import LOST, TYPES, first_empty, first_unknown, text_of, warn_of_lost, warn_of_types
from .texts import is_pair

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast


class PadWith(NamedTuple):
    """What padding is made of, and where it goes ("right" or "left")."""

    token_id: int
    token: str
    type_id: int
    side: str


class Wanted(NamedTuple):
    """Which keys besides input_ids the result has."""

    token_type_ids: bool
    attention_mask: bool
    special_tokens_mask: bool = False
    offset_mapping: bool = False
    length: bool = False
    overflowing_tokens: bool = False


def pad_with(tokenizer: PreTrainedTokenizerFast, side: str) -> PadWith:
    """The tokenizer's padding. Raises ValueError, with a remedy, if it has none."""
    token = tokenizer.pad_token
    if token is None:
        raise ValueError(
            "This tokenizer has no padding token. Choose one that it has (tokenizer.pad_token = tokenizer.eos_token), "
            "or add one: tokenizer.add_special_tokens({'pad_token': '[PAD]'}) and "
            "model.resize_token_embeddings(len(tokenizer))."
        )
    token_id = tokenizer.backend_tokenizer.token_to_id(token)
    if token_id is None:
        raise ValueError(
            f"The padding token {token!r} is not in the vocabulary: add it with "
            f"tokenizer.add_special_tokens({{'pad_token': {token!r}}}), or choose one that is."
        )
    return PadWith(token_id, token, tokenizer.pad_token_type_id, side)


def encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    engine: Engine,
    rows: list[Any],
    lengths: Lengths,
    wanted: Wanted,
    *,
    pad: PadWith | None,
    stride: int,
    pretokenized: bool,
    add_special_tokens: bool,
    split_special_tokens: bool,
) -> tuple[dict[str, list[Any]], list[Encoding]]:
    """One list per key with one entry per row, and the engine's encodings; see `lay_out`."""
    pairs = any(is_pair(row, pretokenized) for row in rows)
    special = engine.tokenizer.num_special_tokens_to_add(pairs) if add_special_tokens else 0
    truncation = None
    if lengths.truncation is not None and lengths.max_length is not None:
        check_truncation(lengths.max_length, stride, special)
        truncation = {
            "max_length": lengths.max_length,
            "stride": stride,
            "strategy": lengths.truncation,
            "direction": tokenizer.truncation_side,
        }
    encodings = engine.encode(
        rows,
        pretokenized=pretokenized,
        add_special_tokens=add_special_tokens,
        split_special_tokens=split_special_tokens,
        truncation=truncation,
    )
    said = tokenizer.deprecation_warnings
    if pairs and TYPES not in said and not wanted.token_type_ids:
        said[TYPES] = True
        if "token_type_ids" not in tokenizer.model_input_names and numbers_the_pair(engine):
            warn_of_types(type(tokenizer).__name__)
    empty = None if LOST in said else first_empty(rows, encodings, special)
    if pad is not None:
        pad_encodings(encodings, lengths, pad)
    data, encodings = lay_out(engine, encodings, wanted)
    if empty is not None:
        warn_of_lost(said, empty, "no token at all")
    elif LOST not in said and (unk_id := tokenizer.unk_token_id) is not None:
        unknown = first_unknown(data["input_ids"], encodings, unk_id)
        if unknown is not None:
            row = rows[data["overflow_to_sample_mapping"][unknown] if wanted.overflowing_tokens else unknown]
            if str(tokenizer.unk_token) not in text_of(row):
                warn_of_lost(said, row, f"nothing but the unknown token {tokenizer.unk_token!r}")
    return data, encodings


def check_truncation(max_length: int, stride: int, special: int) -> None:
    """Raise ValueError if `special` tokens leave no room: the engine would cut nothing then, and say nothing."""
    if max_length < special:
        raise ValueError(
            f"max_length={max_length} is less than the {special} special tokens around a text or a pair: use a larger "
            "max_length or add_special_tokens=False."
        )
    if stride < 0 or (stride > 0 and stride >= max_length - special):
        raise ValueError(
            f"stride={stride} must be at least 0 and less than max_length minus the special tokens "
            f"({max_length} - {special}), else the pieces would never move on."
        )


def pad_encodings(encodings: list[Encoding], lengths: Lengths, pad: PadWith) -> None:
    """Pad the encodings (and their overflow) in place."""
    length = lengths.padded(max(map(len, encodings)))
    if len(encodings) == 1 and length == len(encodings[0]) and not encodings[0].overflowing:
        return
    for encoding in encodings:
        encoding.pad(length, direction=pad.side, pad_id=pad.token_id, pad_type_id=pad.type_id, pad_token=pad.token)


def lay_out(engine: Engine, encodings: list[Encoding], wanted: Wanted) -> tuple[dict[str, list[Any]], list[Encoding]]:
    """One list per key with one entry per row; overflowing pieces are rows of their own, behind their text's row."""
    samples = range(len(encodings))
    if wanted.overflowing_tokens:
        pieces = [[encoding, *encoding.overflowing] for encoding in encodings]
        samples = [sample for sample, parts in enumerate(pieces) for _ in parts]  # type: ignore[assignment]
        encodings = [part for parts in pieces for part in parts]
    data: dict[str, list[Any]] = {"input_ids": engine.ids(encodings)}
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
