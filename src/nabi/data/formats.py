"""One file to its rows. What is in it is seen from its ending and its first lines.

Everything malformed is a ValueError with the file, the line and what is wrong in it.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .json_files import json_rows
from .labels import listed
from .records import LOOK_AHEAD_BYTES, Record, TextLine, of_json_lines, of_lines, of_table, text_lines
from .tagged import LOOK_AT, is_line_tagged, is_tagged, line_tagged_rows, tagged_rows

ENDINGS = (".tsv", ".csv", ".jsonl", ".ndjson", ".json", ".txt", ".conll", ".parquet")
NAMED = (".jsonl", ".ndjson", ".json", ".parquet")  # whose records have names in them
LONGEST_NAME = 40  # characters that a column's name may have; more are a text

NumberedRow = tuple[int, dict[str, Any]]  # the number of its line, or its place in the file


def rows_of_file(file: Path, columns: Sequence[str] | None = None) -> Iterator[NumberedRow]:
    """columns: the names of the columns of a table that has no header."""
    kind = file.suffix.lower()
    if columns is not None and kind in NAMED:
        raise ValueError(f"{file}: columns name those of a table without a header, and a {kind} file has its names")
    if kind == ".parquet":
        yield from enumerate(parquet_rows(file), 1)
        return
    with file.open("rb", buffering=LOOK_AHEAD_BYTES) as stream:
        if kind == ".json":
            rows = json_rows(stream.read(), str(file))
            if rows is not None:
                yield from enumerate(rows, 1)
                return
            stream.seek(0)
        lines = text_lines(stream)
        if kind in NAMED:
            yield from checked(of_json_lines(lines, str(file), "text"), file)
            return
        start = list(itertools.islice(lines, LOOK_AT))
        if any("\0" in line.text for line in start):
            raise ValueError(f"{file} is no text file; expected one of the endings {', '.join(ENDINGS)}")
        yield from rows_of_lines(file, kind, start, itertools.chain(start, lines), columns)


def rows_of_lines(
    file: Path, kind: str, start: Sequence[TextLine], lines: Iterable[TextLine], columns: Sequence[str] | None
) -> Iterator[NumberedRow]:
    """Tagged tokens, a table, or a text a line."""
    if kind != ".csv" and columns is None and is_tagged(start):
        return enumerate(tagged_rows(lines, str(file)), 1)
    if kind != ".csv" and columns is None and is_line_tagged(start):
        return enumerate(line_tagged_rows(lines, str(file)), 1)
    if kind == ".csv" or kind == ".tsv" or has_columns(start):
        return table_rows(file, kind, start, lines, columns)
    if columns is not None:
        raise ValueError(f"{file} has no columns to name: its lines have no tabs")
    return checked(of_lines(lines, "text"), file)


def has_columns(start: Sequence[TextLine]) -> bool:
    """Tabs in every line, as many as in the first."""
    tabs = {line.text.count("\t") for line in start if line.text.strip()}
    return len(tabs) == 1 and tabs != {0}


def table_rows(
    file: Path, kind: str, start: Sequence[TextLine], lines: Iterable[TextLine], columns: Sequence[str] | None
) -> Iterator[NumberedRow]:
    """Below the header, or from the first line if columns are named. A .txt file is read as .tsv."""
    kind, separator = (kind, ",") if kind == ".csv" else (".tsv", "\t")
    top = next((line.text.rstrip("\r\n") for line in start if line.text.strip()), "")
    first = next(csv.reader([top]), []) if kind == ".csv" else top.split("\t")
    if columns is None:
        if top and not is_header(first):
            raise ValueError(
                f"{file}: the first line should name the columns, but it is "
                f"{listed([repr(cell[:LONGEST_NAME]) for cell in first])}. Name them with columns=[…]"
            )
        return checked(of_table(lines, str(file), kind), file)
    if len(columns) != len(first):
        raise ValueError(f"{file} has {len(first)} columns, but {len(columns)} are named: {listed(columns)}")
    header = TextLine(separator.join(columns) + "\n", 0)
    named = checked(of_table(itertools.chain([header], lines), str(file), kind), file, lines_before=1)
    return named


def is_header(cells: Sequence[str]) -> bool:
    """Short names, none of them a number; the first may be empty, as pandas writes that of the row's number."""
    names = [cell.strip() for cell in cells]
    return all(names[1:]) and not any(len(name) > LONGEST_NAME or name.lstrip("-").isdigit() for name in names)


def checked(records: Iterable[Record], file: Path, lines_before: int = 0) -> Iterator[NumberedRow]:
    for record in records:
        if record.problem:
            raise ValueError(f"{file}, line {record.number - lines_before}: {record.problem}")
        yield record.number - lines_before, record.fields


def parquet_rows(file: Path) -> list[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ImportError(f"{file}: .parquet files are read by pyarrow: pip install pyarrow") from error
    try:
        rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    except ArrowException as error:
        raise ValueError(f"{file} is no .parquet file that can be read: {error}") from error
    return rows
