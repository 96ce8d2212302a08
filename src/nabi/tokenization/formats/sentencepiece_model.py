"""SentencePiece's `.model` files, read without sentencepiece or protobuf: the facts of the file, and nothing more.

The file is one protobuf message (sentencepiece_model.proto): the pieces, then how they were trained and how text is
to be normalized. What becomes of it is said in sentencepiece_engine.py.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

SPACE = "▁"  # how pieces write a space (U+2581)


class Type(IntEnum):
    """What a piece is. Only NORMAL and USER_DEFINED ones are ever found in a text."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass
class SentencePieceModel:
    """A `.model` file: `pieces[i]`, `scores[i]` and `types[i]` belong to the id i; the names are the proto's."""

    path: str
    pieces: list[str]
    scores: list[float]
    types: list[int]
    algorithm: str = "unigram"  # or "bpe"
    byte_fallback: bool = False
    split_by_whitespace: bool = True
    treat_whitespace_as_suffix: bool = False
    unk_piece: str = "<unk>"
    bos_piece: str = "<s>"
    eos_piece: str = "</s>"
    pad_piece: str = "<pad>"
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    precompiled_charsmap: bytes = field(default=b"", repr=False)

    @property
    def unk_id(self) -> int:
        return self.types.index(Type.UNKNOWN)

    @property
    def bos_id(self) -> int | None:
        return self._control(self.bos_piece)

    @property
    def eos_id(self) -> int | None:
        return self._control(self.eos_piece)

    @property
    def pad_id(self) -> int | None:
        return self._control(self.pad_piece)

    def _control(self, name: str) -> int | None:
        """The id of a control symbol, None if the model has none of this name."""
        return self.pieces.index(name) if name in self.of_type(Type.CONTROL) else None

    @cached_property
    def normal(self) -> dict[str, float]:
        """The NORMAL pieces, in the order of their ids, and their scores."""
        rows = zip(self.pieces, self.scores, self.types, strict=True)
        return {piece: score for piece, score, kind in rows if kind == 1}

    def of_type(self, kind: Type) -> list[str]:
        """The pieces of one type, in the order of their ids."""
        number = int(kind)
        return [piece for piece, own in zip(self.pieces, self.types, strict=True) if own == number]


def read_sentencepiece(path: str | os.PathLike[str]) -> SentencePieceModel:
    """Read a `.model` file. Raises OSError if it is missing, ValueError that names it if it is damaged or of a kind
    that has no engine (word and char models), TypeError if `path` is no path."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"A SentencePiece model is read from the path of a .model file, not from {type(path).__name__}."
        )
    place = os.fspath(path)
    data = Path(path).read_bytes()
    try:
        model = _model(place, data)
    except (IndexError, TypeError, AttributeError, struct.error, UnicodeDecodeError, _Damaged) as error:
        raise ValueError(
            f"{place}: no SentencePiece model, or a damaged one ({error or type(error).__name__}; the file has "
            f"{len(data)} bytes). It may be a download that broke off or a Git LFS pointer: download it again."
        ) from error
    _check(model)
    return model


class _Damaged(Exception):
    """The bytes do not follow the format."""


# Field numbers of sentencepiece_model.proto -> our names.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_MODEL_TYPE, _ESCAPE_WHITESPACES = 3, 5
_ALGORITHMS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_TRAINER_FLAGS = {35: "byte_fallback", 22: "split_by_whitespace", 24: "treat_whitespace_as_suffix"}
_TRAINER_PIECES = {45: "unk_piece", 46: "bos_piece", 47: "eos_piece", 48: "pad_piece"}
_NORMALIZER_FLAGS = {3: "add_dummy_prefix", 4: "remove_extra_whitespaces"}
_CHARSMAP = 2


def _model(path: str, data: bytes) -> SentencePieceModel:
    pieces, scores, types, end = _read_pieces(data)
    rest = dict(_fields(data, end))
    if not pieces or _PIECES in rest or not {_TRAINER, _NORMALIZER} <= rest.keys():
        raise _Damaged("it does not hold pieces, how they were trained and how text is normalized, in this order")
    trainer, normalizer = (dict(_fields(rest[number])) for number in (_TRAINER, _NORMALIZER))
    known = {
        **{name: bool(trainer[number]) for number, name in _TRAINER_FLAGS.items() if number in trainer},
        **{name: trainer[number].decode("utf-8") for number, name in _TRAINER_PIECES.items() if number in trainer},
        **{name: bool(normalizer[number]) for number, name in _NORMALIZER_FLAGS.items() if number in normalizer},
    }
    if not normalizer.get(_ESCAPE_WHITESPACES, True):
        raise ValueError(
            f"{path}: its pieces keep spaces as they are (escape_whitespaces=false); nabi reads only {SPACE}."
        )
    return SentencePieceModel(
        path,
        pieces,
        scores,
        types,
        algorithm=_ALGORITHMS.get(trainer.get(_MODEL_TYPE, 1), "unknown"),
        precompiled_charsmap=normalizer.get(_CHARSMAP, b""),
        **known,
    )


def _read_pieces(data: bytes) -> tuple[list[str], list[float], list[int], int]:
    """The pieces at the head of the file, and where they end.

    There may be 250,000: a piece shorter than 128 bytes whose fields are text, score and type in their usual order
    is cut out at fixed places; any other goes the general way.
    """
    pieces: list[str] = []
    scores: list[bytes] = []
    types: list[int] = []
    at, size = 0, len(data)
    while at < size and data[at] == 0x0A:  # field 1, a message
        length, start = data[at + 1], at + 2
        if length & 0x80:
            length, start = _varint(data, at + 1)
        at = start + length
        if at > size:
            raise _Damaged("it ends within a piece")
        text_end = start + 2 + data[start + 1]
        if data[start] == 0x0A and data[start + 1] < 0x80 and text_end + 5 <= at and data[text_end] == 0x15:
            rest = at - text_end - 5
            if not rest or (rest == 2 and data[at - 2] == 0x18):
                pieces.append(data[start + 2 : text_end].decode("utf-8"))
                scores.append(data[text_end + 1 : text_end + 5])
                types.append(data[at - 1] if rest else 1)
                continue
        fields = dict(_fields(data[start:at]))
        pieces.append(fields.get(1, b"").decode("utf-8"))
        scores.append(fields.get(2, b"\0\0\0\0"))
        types.append(fields.get(3, 1))
    return pieces, list(struct.unpack(f"<{len(scores)}f", b"".join(scores))), types, at


def _fields(data: bytes, at: int = 0) -> Iterator[tuple[int, Any]]:
    """Field number and value of a protobuf message: a whole number, or bytes."""
    size = len(data)
    while at < size:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value: Any
            value, at = _varint(data, at)
        elif wire in (1, 2, 5):
            length, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = data[at : at + length], at + length
            if at > size:
                raise _Damaged(f"it ends within field {number}")
        else:
            raise _Damaged(f"field {number} is of no known kind")
        yield number, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise _Damaged("a number has no end")


def _check(model: SentencePieceModel) -> None:
    """Raises ValueError for what cannot be encoded with."""
    if model.algorithm not in ("unigram", "bpe"):
        raise ValueError(
            f"{model.path}: a SentencePiece model of the kind {model.algorithm!r}. Only unigram and bpe models can be "
            "read: train it again with --model_type=unigram or bpe."
        )
    unknown = [number for number, kind in enumerate(model.types) if kind == Type.UNKNOWN]
    if len(unknown) != 1:
        raise ValueError(
            f"{model.path}: a SentencePiece model must have one unknown piece, but this has {len(unknown)}. "
            "Download or train it again."
        )
    model.unk_piece = model.pieces[unknown[0]]
    if len(set(model.pieces)) < len(model.pieces):
        seen: dict[str, int] = {}
        for number, piece in enumerate(model.pieces):
            if piece in seen:
                raise ValueError(
                    f"{model.path}: the piece {piece!r} has the ids {seen[piece]} and {number}, so it is unclear which "
                    "one a text gets. Train or convert the model again."
                )
            seen[piece] = number
