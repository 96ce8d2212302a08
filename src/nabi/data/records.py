"""What a job reads: records, one by one, of a file, a list, a generator, a dataset or a table. A record is a dict.

A text file starts with a byte order mark, or its first part tells UTF-8 from cp949 (as Korean Windows writes). A later
line that does not fit is tried in the other one, and is reported if it fits in neither: no line is lost.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

UTF8, KOREAN_WINDOWS = "utf-8", "cp949"
LOOK_AHEAD_BYTES = 1 << 16
LONGEST_CELL = 1 << 27  # characters; the csv module's own limit is shorter than many a document


@dataclass(frozen=True)
class Record:
    """One record: its fields, the number of its line (or its place in a list), and what is wrong with it if it cannot
    be used. bytes_read: how far it has taken its file."""

    fields: dict[str, Any]
    number: int
    problem: str = ""
    bytes_read: int = 0


@dataclass(frozen=True)
class TextLine:
    """A line of a file with its end; `undecodable`: the bytes that are no text in any encoding tried."""

    text: str
    size: int
    undecodable: bytes = b""


# ---------------------------------------------------------------- any source


def read_records(source: Any, name: str) -> Iterator[Record]:
    """The records of a path, or of anything that can be iterated, Records themselves too.

    name: the field of an item that is no dict, such as "text".
    """
    if isinstance(source, (str, os.PathLike)):
        yield from read_file(Path(source), name)
        return
    if hasattr(source, "itertuples"):  # a table of pandas
        columns = [str(column) for column in source.columns]
        source = (dict(zip(columns, row, strict=True)) for row in source.itertuples(index=False, name=None))
    elif not isinstance(source, Iterable) or isinstance(source, Mapping):
        if not (hasattr(source, "__getitem__") and hasattr(source, "__len__")) or isinstance(source, Mapping):
            raise TypeError(
                f"the source of a job is a {type(source).__name__}; expected the path of a .txt, .csv, .tsv or .jsonl "
                "file, or a list, generator or dataset of texts or of dicts"
            )
        source = map(source.__getitem__, range(len(source)))  # a map-style dataset, as of torch
    for number, item in enumerate(source, 1):
        if isinstance(item, Record):
            yield item
        elif item is None:
            yield Record({}, number, "the item is None, and no record")
        else:
            yield Record(dict(item) if isinstance(item, Mapping) else {name: item}, number)


def read_file(path: Path, name: str) -> Iterator[Record]:
    """The records of a file by the ending of its name; a file of another ending has one item a line."""
    with path.open("rb", buffering=LOOK_AHEAD_BYTES) as stream:
        yield from read_stream(stream, path.name, name)


def read_stream(stream: BinaryIO, file_name: str, name: str) -> Iterator[Record]:
    kind = Path(file_name).suffix.lower()
    lines = text_lines(stream)
    if kind in (".csv", ".tsv"):
        return of_table(lines, file_name, kind)
    if kind in (".jsonl", ".ndjson", ".json"):
        return of_json_lines(lines, file_name, name)
    return of_lines(lines, name)


# ---------------------------------------------------------------- kinds of file


def of_lines(lines: Iterable[TextLine], name: str) -> Iterator[Record]:
    """One item a line; blank lines are left out."""
    for number, line in enumerate(lines, 1):
        text = line.text.rstrip("\r\n")
        if text.strip():
            yield Record({name: text}, number, no_text(line.undecodable), line.size)


def of_json_lines(lines: Iterable[TextLine], file_name: str, name: str) -> Iterator[Record]:
    """One JSON object a line, or one JSON string; a line that is neither is a record with a problem."""
    for number, line in enumerate(lines, 1):
        text = line.text.strip()
        if not text:
            continue
        if number == 1 and text in ("[", "[{"):
            raise ValueError(
                f"{file_name} is one JSON list. A job reads one JSON object a line, which `jq -c '.[]'` makes of it."
            )
        problem = no_text(line.undecodable)
        fields: Any = None
        if not problem:
            try:
                fields = json.loads(text)
                fields = {name: fields} if isinstance(fields, str) else fields
            except (ValueError, RecursionError) as error:
                problem = f"the line is no JSON: {error}"
            if not problem and not isinstance(fields, dict):
                problem = f"the line is JSON, but no object: {text[:40]}"
        yield Record({name: text} if problem else fields, number, problem, line.size)


def of_table(lines: Iterable[TextLine], file_name: str, kind: str) -> Iterator[Record]:
    """The rows below the header. A .csv file quotes as spreadsheets do; in a .tsv file a quote is a letter."""
    allow_long_cells()
    line_number = read = 0
    undecodable = b""

    def watched() -> Iterator[str]:
        nonlocal line_number, read, undecodable
        for line in lines:
            line_number += 1
            read += line.size
            undecodable = undecodable or line.undecodable
            yield line.text.replace("\0", "\ufffd")  # which older csv modules do not bear

    table = iter(
        csv.reader(watched()) if kind == ".csv" else csv.reader(watched(), delimiter="\t", quoting=csv.QUOTE_NONE)
    )
    header: list[str] | None = None
    while True:
        first = line_number + 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            yield Record({}, first, f"the row cannot be read: {error}", read)
            read = 0
            continue
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            header = cells
            if len(set(header)) < len(header) or undecodable:
                twice = ", ".join(sorted({repr(cell) for cell in header if header.count(cell) > 1}))
                raise ValueError(
                    f"the header of {file_name} "
                    + (no_text(undecodable) if undecodable else f"names {twice} more than once: rename the columns")
                )
            continue
        problem = no_text(undecodable)
        if len(cells) > len(header):
            problem = problem or (
                f"the row has {len(cells)} cells, but the header has {len(header)} columns ({', '.join(header)})"
            )
            cells = [*cells[: len(header) - 1], ("," if kind == ".csv" else "\t").join(cells[len(header) - 1 :])]
        cells += [""] * (len(header) - len(cells))
        yield Record(dict(zip(header, cells, strict=True)), first, problem, read)
        read, undecodable = 0, b""


def allow_long_cells() -> None:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))


# ---------------------------------------------------------------- bytes to text


def text_lines(stream: BinaryIO) -> Iterator[TextLine]:
    """The lines of a stream of bytes with their ends, in the encoding that its beginning tells."""
    buffered: Any = stream if hasattr(stream, "peek") else io.BufferedReader(stream)  # type: ignore[type-var]
    encoding = encoding_of(buffered.peek(LOOK_AHEAD_BYTES))
    if encoding.startswith("utf-16"):
        for text in io.TextIOWrapper(buffered, encoding, errors="replace", newline="\n"):
            yield TextLine(text, 2 * len(text))
        return
    for number, raw in enumerate(buffered, 1):
        text, undecodable = decoded(raw, UTF8 if encoding == "utf-8-sig" else encoding)
        yield TextLine(text.removeprefix("\ufeff") if number == 1 else text, len(raw), undecodable)


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


def decoded(raw: bytes, encoding: str) -> tuple[str, bytes]:
    """The text and b"", or a readable stand-in and the bytes that are no text."""
    for attempt in (encoding, KOREAN_WINDOWS if encoding == UTF8 else UTF8):
        try:
            return raw.decode(attempt), b""
        except UnicodeDecodeError:
            continue
    return raw.decode(UTF8, "replace"), raw.rstrip(b"\r\n")


def no_text(undecodable: bytes) -> str:
    if not undecodable:
        return ""
    return f"this is neither UTF-8 nor cp949: {undecodable[:24].hex(' ')}. Save the text as UTF-8."
