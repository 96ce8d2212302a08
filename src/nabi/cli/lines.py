"""Texts to work on: of the command line, of a file, or of standard input, one per line, in any usual encoding.

A file starts with a byte order mark, or its first part tells UTF-8 from cp949 (as Korean Windows writes). A later
line that does not fit is tried in the other one, and is reported if it fits in neither: no line is lost.
"""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from .messages import say

UTF8, KOREAN_WINDOWS = "utf-8", "cp949"
LOOK_AHEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Line:
    """A text and where it came from; `problem` says why it cannot be used."""

    text: str
    place: str
    problem: str = ""
    bytes_read: int = 0


def of_arguments(texts: Iterable[str]) -> Iterator[Line]:
    for number, text in enumerate(texts, 1):
        place = say("text", number=number)
        text, problem = decoded(os.fsencode(text), UTF8) if has_raw_bytes(text) else (text, "")
        yield Line(text, place, problem or ("" if text.strip() else say("empty_text")))


def of_stream(stream: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of a stream of bytes, without their ends; blank ones too."""
    buffered: Any = stream if hasattr(stream, "peek") else io.BufferedReader(stream)  # type: ignore[type-var]
    encoding = encoding_of(buffered.peek(LOOK_AHEAD_BYTES))
    if encoding.startswith("utf-16"):
        for number, text in enumerate(io.TextIOWrapper(buffered, encoding, errors="replace"), 1):
            yield Line(text.rstrip("\r\n"), say("line", number=number, name=name), bytes_read=2 * len(text))
        return
    for number, raw in enumerate(buffered, 1):
        text, problem = decoded(raw.rstrip(b"\r\n"), UTF8 if encoding == "utf-8-sig" else encoding)
        if number == 1:
            text = text.removeprefix("\ufeff")
        yield Line(text, say("line", number=number, name=name), problem, len(raw))


def encoding_of(start: bytes) -> str:
    """The encoding of a file that starts so."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if start.startswith(mark):
            return encoding
    for encoding in (UTF8, KOREAN_WINDOWS):
        try:
            codecs.getincrementaldecoder(encoding)().decode(start)  # a character cut off at the end is no error
            return encoding
        except UnicodeDecodeError:
            continue
    return UTF8


def decoded(raw: bytes, encoding: str) -> tuple[str, str]:
    """The text and "", or a readable stand-in and what is wrong with it."""
    for attempt in (encoding, KOREAN_WINDOWS if encoding == UTF8 else UTF8):
        try:
            return raw.decode(attempt), ""
        except UnicodeDecodeError:
            continue
    return raw.decode(UTF8, "replace"), say("undecodable", bytes=raw[:24].hex(" "))


def has_raw_bytes(text: str) -> bool:
    """Whether Python could not decode this argument, and kept its bytes as lone surrogates."""
    return any("\udc80" <= character <= "\udcff" for character in text)
