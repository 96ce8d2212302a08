"""What a job writes: flat records, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nabi.batch.results import Output, output_record

LABEL = {"label": "positive", "score": 0.5}
SCORED = {"labels": ["a"], "scores": [1.0]}
SAID = {"predicted_text": "a", "chunks": [{"timestamp": [0.0, 1.0]}]}
RECORDS = [{"text": '가\n"b", c', "label": "x", "score": 0.5}, {"text": "d", "label": "y", "score": 1.0}]


@pytest.mark.parametrize(
    ("task", "result", "expected"),
    [
        ("text-classification", LABEL, LABEL),
        ("text-classification", [LABEL], {"labels": [LABEL]}),
        ("token-classification", [{"word": "a"}], {"entities": [{"word": "a"}]}),
        ("fill-mask", [[{"score": 1.0}], [{"score": 0.5}]], {"fillings": [[{"score": 1.0}], [{"score": 0.5}]]}),
        ("question-answering", {"answer": "a", "start": 0}, {"answer": "a", "start": 0}),
        ("question-answering", [{"answer": "a"}, {"answer": "b"}], {"answers": [{"answer": "a"}, {"answer": "b"}]}),
        ("text-generation", [{"generated_text": "a"}], {"generated_text": "a"}),
        ("text-generation", [{"generated_text": "a"}] * 2, {"results": [{"generated_text": "a"}] * 2}),
        ("summarization", {"summary_text": "a"}, {"summary_text": "a"}),
        ("zero-shot-classification", {"sequence": "t", **SCORED}, SCORED),
        ("feature-extraction", [[[0.5]]], {"features": [[[0.5]]]}),
        ("sentence-similarity", [0.5], {"scores": [0.5]}),
        ("automatic-speech-recognition", {"text": "a", "chunks": [{"timestamp": (0.0, 1.0)}]}, SAID),
        ("my-own-task", 7, {"result": 7}),
        ("text-classification", ValueError("two\nlines"), {"error": "two lines"}),
    ],
)
def test_a_result_of_any_shape_is_flat(task: str, result: Any, expected: dict[str, Any]) -> None:
    assert output_record({"text": "t"}, task, result) == {"text": "t", **expected}


def test_a_result_does_not_overwrite_what_the_record_says() -> None:
    record = output_record({"text": "t", "label": "1", "predicted_label": 0}, "text-classification", LABEL)
    assert record == {
        "text": "t",
        "label": "1",
        "predicted_label": 0,
        "predicted_predicted_label": "positive",
        "score": 0.5,
    }


def test_what_json_cannot_hold_is_left_out_and_numbers_of_numpy_are_numbers() -> None:
    fields = {
        "image": object(),
        "n": np.float32(0.5),
        "a": np.arange(2),
        "path": Path("x"),
        "deep": {"b": [object(), 1]},
    }
    assert output_record(fields, "x", {}) == {"n": 0.5, "a": [0, 1], "path": "x", "deep": {"b": [None, 1]}}


def test_jsonl_is_one_object_a_line_with_korean_as_it_is(tmp_path: Path) -> None:
    with Output(tmp_path / "o.jsonl", "text-classification") as output:
        output.write(RECORDS)
        assert len((tmp_path / "o.jsonl").read_bytes().splitlines()) == 2  # in the file at once
        output.write([{"text": "\ud800"}])
    lines = (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [*RECORDS, {"text": "\ud800"}]
    assert lines[0].startswith('{"text": "가')


def test_csv_has_a_header_that_spreadsheets_read_and_lists_as_json(tmp_path: Path) -> None:
    with Output(tmp_path / "o.csv", "text-classification") as output:
        output.write([{"text": "가", "labels": [LABEL]}, {"text": "b", "error": "why"}])
        output.write([{"text": "c", "labels": [], "unforeseen": 1}])
    raw = (tmp_path / "o.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbftext,labels,error\n")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert json.loads(rows[0]["labels"]) == [LABEL]
    assert rows[1] == {"text": "b", "labels": "", "error": "why"}
    assert rows[2]["error"] == 'has no column in o.csv: {"unforeseen": 1}'


def test_a_csv_file_whose_first_records_all_fail_has_the_usual_columns(tmp_path: Path) -> None:
    with Output(tmp_path / "o.csv", "text-classification") as output:
        output.write([{"text": "a", "error": "why"}])
        output.write([{"text": "b", **LABEL}])
    assert (tmp_path / "o.csv").read_text("utf-8-sig").splitlines() == [
        "text,label,score,error",
        "a,,,why",
        "b,positive,0.5,",
    ]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_cut_off_anywhere_is_taken_up_at_its_last_whole_record(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"o.{kind}"
    with Output(path, "text-classification") as output:
        output.write(RECORDS)
    whole = path.read_bytes()
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        with Output(path, "text-classification", resume=True) as output:
            assert [record["text"] for record in output.kept()] == [one["text"] for one in RECORDS[: output.count]]
            output.write(RECORDS[output.count :])
        assert path.read_bytes() == whole


def test_what_is_there_is_kept_unless_it_shall_be_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text("{}\n")
    with pytest.raises(FileExistsError, match=r"o.jsonl' is there already. Go on with it with resume=True"):
        Output(path, "x")
    with Output(path, "x", overwrite=True) as output:
        assert path.read_text() == "{}\n"  # as long as there is nothing in its stead
        output.write([{"a": 1}])
    assert path.read_text() == '{"a": 1}\n'


def test_bad_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"out='.*o.txt': the name must end in .jsonl or .csv"):
        Output(tmp_path / "o.txt", "x")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere' for 'o.csv'"):
        Output(tmp_path / "nowhere" / "o.csv", "x")
    with pytest.raises(ValueError, match="give one of them"):
        Output(tmp_path / "o.csv", "x", resume=True, overwrite=True)
