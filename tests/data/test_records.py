"""Records of every kind of source: none is lost, none is guessed wrong in silence."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nabi.data.records import Record, read_records, read_stream

ROWS = [
    {"id": "1", "text": "이 영화는 최고예요!"},
    {"id": "2", "text": 'two\nlines, "quoted"'},
    {"id": "3", "text": "끝"},
]


def of_file(name: str, raw: bytes, part: str = "text") -> list[Record]:
    return list(read_stream(io.BytesIO(raw), name, part))


def fields(records: list[Record]) -> list[dict[str, Any]]:
    assert [record.problem for record in records] == [""] * len(records)
    return [record.fields for record in records]


def as_csv(rows: list[dict[str, str]]) -> str:
    import csv

    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_every_kind_of_file_is_read_in_every_usual_encoding(encoding: str) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in ROWS)
    assert fields(of_file("a.jsonl", lines.encode(encoding))) == ROWS
    assert fields(of_file("a.csv", as_csv(ROWS).encode(encoding))) == ROWS
    assert fields(of_file("a.tsv", "id\ttext\n1\t최고\n".encode(encoding))) == [{"id": "1", "text": "최고"}]
    assert fields(of_file("a.txt", "최고\r\n\r\n 지루\n".encode(encoding))) == [{"text": "최고"}, {"text": " 지루"}]


def test_a_quote_in_a_tsv_file_is_a_letter_and_does_not_swallow_the_lines_below() -> None:
    raw = b'id\tdocument\n1\t"unbalanced\n2\tnext\n'
    assert fields(of_file("a.tsv", raw)) == [{"id": "1", "document": '"unbalanced'}, {"id": "2", "document": "next"}]


def test_a_cell_may_be_longer_than_the_csv_modules_own_limit() -> None:
    assert fields(of_file("a.csv", b"text\n" + b"x" * 200_000 + b"\n")) == [{"text": "x" * 200_000}]


def test_numbers_of_records_are_those_of_their_lines() -> None:
    assert [record.number for record in of_file("a.txt", b"a\n\nb\n")] == [1, 3]
    assert [record.number for record in of_file("a.csv", b'text\n"a\nb"\nc\n')] == [2, 4]


def test_all_bytes_of_a_file_are_accounted_for() -> None:
    for name, raw in (("a.csv", as_csv(ROWS).encode()), ("a.jsonl", b'{"a": 1}\n{"a": 2}\n'), ("a.txt", b"a\nbc")):
        assert sum(record.bytes_read for record in of_file(name, raw)) == len(raw)


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("a.csv", b"a,b\n1,2\n1,2,3\n4,5\n", r"the row has 3 cells, but the header has 2 columns \(a, b\)"),
        ("a.csv", b"a,b\n1,2\n\xff\xff,2\n4,5\n", "neither UTF-8 nor cp949: ff ff 2c 32"),
        ("a.jsonl", b'{"a": 1}\n{"a": 1\n{"a": 2}\n', "the line is no JSON: "),
        ("a.jsonl", b'{"a": 1}\n[1, 2]\n{"a": 2}\n', r"the line is JSON, but no object: \[1, 2\]"),
        ("a.txt", b"a\n\xff\xff\nb\n", "neither UTF-8 nor cp949: ff ff"),
    ],
)
def test_a_bad_record_is_told_and_stands_between_its_neighbours(name: str, raw: bytes, problem: str) -> None:
    first, bad, last = of_file(name, raw)
    assert not first.problem and not last.problem
    assert re.search(problem, bad.problem)
    assert bad.fields  # what can be shown of it


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("a.csv", b"a,b,a\n1,2,3\n", "the header of a.csv names 'a' more than once"),
        ("a.json", b'[\n{"a": 1}\n]', "a.json is one JSON list"),
    ],
)
def test_what_is_wrong_with_the_whole_file_is_one_error(name: str, raw: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of_file(name, raw)


def test_a_short_row_is_filled_up_and_blank_rows_are_left_out() -> None:
    assert fields(of_file("a.csv", b"a,b\n1\n\n2,3\n")) == [{"a": "1", "b": ""}, {"a": "2", "b": "3"}]


class Numbered:
    """A map-style dataset, as torch has them."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> Any:
        return [{"text": "a"}, {"text": "b"}][place]


class Table:
    """What of a pandas table is used."""

    columns = ["text", 7]

    def itertuples(self, index: bool, name: None) -> Any:
        return iter([("a", 1), ("b", 2)])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["a", "b"], [{"text": "a"}, {"text": "b"}]),
        ((text for text in "ab"), [{"text": "a"}, {"text": "b"}]),
        ([{"text": "a", "id": 1}, {"text": "b"}], [{"text": "a", "id": 1}, {"text": "b"}]),
        (Numbered(), [{"text": "a"}, {"text": "b"}]),
        (Table(), [{"text": "a", "7": 1}, {"text": "b", "7": 2}]),
        ([["a", "chat"]], [{"text": ["a", "chat"]}]),
        ([], []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_can_be_iterated_gives_its_items_as_records(source: Any, expected: list[dict[str, Any]]) -> None:
    assert fields(list(read_records(source, "text"))) == expected


def test_none_among_the_items_is_a_bad_record_and_a_number_is_no_source() -> None:
    assert [record.problem for record in read_records(["a", None], "text")] == ["", "the item is None, and no record"]
    for source in (7, {"text": "a"}):
        with pytest.raises(TypeError, match=r"the source of a job is a .*expected the path of a \.txt"):
            list(read_records(source, "text"))
    with pytest.raises(FileNotFoundError, match=r"no-such\.csv"):
        list(read_records(Path("no-such.csv"), "text"))


def test_reading_is_lazy() -> None:
    records = read_records(iter(int, 1), "text")  # without an end
    assert next(records).fields == {"text": 0}


CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=8)


@given(rows=st.lists(st.fixed_dictionaries({"x": CELLS, "y": CELLS}), min_size=1, max_size=5))
def test_any_table_that_the_csv_module_writes_is_read_back(rows: list[dict[str, str]]) -> None:
    raw = as_csv(rows).encode("utf-8-sig")
    assert fields(of_file("a.csv", raw)) == rows
    assert sum(record.bytes_read for record in of_file("a.csv", raw)) == len(raw)
