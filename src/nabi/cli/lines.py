"""What to work on: of the command line, of a file, or of standard input, one item per line or record.

How bytes become text, and which files have columns, is told in nabi.data.records.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ..data.records import LOOK_AHEAD_BYTES, UTF8, Record, decoded, text_lines
from .messages import say

__all__ = ["LOOK_AHEAD_BYTES", "Line", "of_arguments", "of_records", "of_stream"]


@dataclass(frozen=True)
class Line:
    """A text, or the fields of a record, and where it came from; `problem` says why it cannot be used."""

    text: str
    place: str
    problem: str = ""
    bytes_read: int = 0
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        return not (self.fields or self.problem or self.text.strip())


def of_arguments(texts: Iterable[str]) -> Iterator[Line]:
    for number, text in enumerate(texts, 1):
        place = say("text", number=number)
        text, raw = decoded(os.fsencode(text), UTF8) if has_raw_bytes(text) else (text, b"")
        yield Line(text, place, undecodable(raw) or ("" if text.strip() else say("empty_text")))


def of_stream(stream: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of a stream of bytes, without their ends; blank ones too."""
    for number, line in enumerate(text_lines(stream), 1):
        place = say("line", number=number, name=name)
        yield Line(line.text.rstrip("\r\n"), place, undecodable(line.undecodable), line.size)


def of_records(records: Iterable[Record], name: str) -> Iterator[Line]:
    """The records of a file with columns."""
    for record in records:
        place = say("line", number=record.number, name=name)
        yield Line("", place, record.problem, record.bytes_read, record.fields)


def undecodable(raw: bytes) -> str:
    return say("undecodable", bytes=raw[:24].hex(" ")) if raw else ""


def has_raw_bytes(text: str) -> bool:
    """Whether Python could not decode this argument, and kept its bytes as lone surrogates."""
    return any("\udc80" <= character <= "\udcff" for character in text)
