"""A job over a whole source: one record for each, in order, in flat memory, and taken up again where it was left."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nabi import batch
from nabi.batch import Report
from nabi.embedded import SENTIMENT
from nabi.pipelines import pipeline

from .letters import LetterPipeline

TEXTS = [f"{'x' * (7 * number % 11 + 1)}{number}" for number in range(100)]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(source: Any, out: Path, batch_size: int = 1, **options: Any) -> Report:
    report = batch.run(source, LetterPipeline(batch_size=batch_size), out=out, **options)
    assert isinstance(report, Report)
    return report


def test_every_record_gives_one_in_its_order_and_the_fields_that_it_had(tmp_path: Path) -> None:
    source = [{"id": number, "review": text} for number, text in enumerate(TEXTS)]
    report = run(source, tmp_path / "o.jsonl", column="review")
    assert report == Report(tmp_path / "o.jsonl", 100, 0, 0)
    written = lines_of(tmp_path / "o.jsonl")
    assert [(one["id"], one["review"], one["score"]) for one in written] == [
        (number, text, len(text)) for number, text in enumerate(TEXTS)
    ]


def test_without_a_file_the_records_come_one_by_one() -> None:
    records = batch.run((text for text in iter(lambda: "endless", None)), LetterPipeline(batch_size=1))
    assert isinstance(records, Iterator)
    assert next(records) == {"text": "endless", "label": "long", "score": 7.0}


def test_a_bad_record_tells_its_error_and_the_job_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    lines = ['{"text": "good"}', '{"text": "bad"}', "{", '{"text": null}', '{"other": 1}', '{"text": "broken"}']
    source.write_text("\n".join([*lines, '{"text": "fine"}']), encoding="utf-8")
    report = run(source, tmp_path / "o.jsonl", batch_size=4)
    assert (report.records, report.failed) == (7, 5)
    written = lines_of(tmp_path / "o.jsonl")
    assert [one.get("label") for one in written] == ["long", None, None, None, None, None, "long"]
    assert [one.get("error", "")[:24] for one in written] == [
        *("", "'bad' is bad", "the line is no JSON: Exp", "the text is missing"),
        *("there is no column 'text", "'broken' is broken", ""),
    ]
    assert written[4]["other"] == 1


def test_what_fails_with_every_item_alike_ends_the_job(tmp_path: Path) -> None:
    class Lost(LetterPipeline):
        def _forward(self, model_inputs: dict[str, Any], **_: Any) -> Any:
            raise RuntimeError("the device is gone")

    with pytest.raises(RuntimeError, match="the device is gone"):
        batch.run(TEXTS, Lost(), out=tmp_path / "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()


def test_a_column_that_is_not_there_ends_the_job_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no column 'text' for the text. The columns are 'a', 'b'"):
        run([{"a": "x", "b": "y"}] * 3, tmp_path / "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_job_taken_up_anywhere_writes_the_same_and_repeats_no_chunk(
    tmp_path: Path, kind: str, batch_size: int
) -> None:
    whole = tmp_path / f"whole.{kind}"
    source = tmp_path / "in.csv"
    source.write_text("text,label\n" + "".join(f'"{text}",1\n' for text in [*TEXTS[:40], "bad", *TEXTS[40:]]))
    run(source, whole, batch_size)
    raw = whole.read_bytes()
    out = tmp_path / f"o.{kind}"
    for end in range(0, len(raw) + 1, 97):
        out.write_bytes(raw[:end])
        pipe = LetterPipeline(batch_size=batch_size)
        report = batch.run(source, pipe, out=out, resume=True)
        assert out.read_bytes() == raw
        assert report.records == 101
        size = 16 * batch_size
        assert len(pipe.seen) == len(range(report.resumed // size * size, 101, size))
    pipe = LetterPipeline(batch_size=batch_size)
    assert batch.run(source, pipe, out=out, resume=True) == Report(out, 101, 101, 0)
    assert pipe.seen == []


def test_resuming_what_was_never_begun_begins_it(tmp_path: Path) -> None:
    assert run(TEXTS, tmp_path / "o.jsonl", resume=True).resumed == 0
    assert len(lines_of(tmp_path / "o.jsonl")) == 100


def test_another_source_is_told_when_a_job_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    run(TEXTS, out)
    before = out.read_bytes()
    with pytest.raises(ValueError, match=r"record 51 of o.jsonl is \{'text': .*\}, but in the source that one is"):
        run([*TEXTS[:50], "another", *TEXTS[51:]], out, resume=True)
    with pytest.raises(ValueError, match=r"record 51 of o.jsonl is .* but in the source there is no such record"):
        run(TEXTS[:50], out, resume=True)
    assert out.read_bytes() == before


def test_the_job_is_the_same_by_name_with_the_embedded_model(tmp_path: Path) -> None:
    texts = ["정말 재미있어요", "A terrible, boring mess.", "지루했다"]
    batch.run(texts, "sentiment-analysis", model=SENTIMENT, out=tmp_path / "o.jsonl", batch_size=2)
    expected = pipeline("sentiment-analysis", model=SENTIMENT)(texts)
    for written, one in zip(lines_of(tmp_path / "o.jsonl"), expected, strict=True):
        assert written["label"] == one["label"]
        assert written["score"] == pytest.approx(one["score"], abs=1e-6)
    assert list(batch.run([], "sentiment-analysis", model="./never-loaded")) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "spark"}, r"engine is 'spark'; expected 'local' or 'ray'"),
        ({"resume": True}, r"resume concerns the file of results: name it with out=…"),
        ({"workers": 2}, r"workers belong to the engine 'ray'"),
        ({"column": ["a", "b", "c"]}, r"text-classification takes text and text_pair of a record, but 3 columns"),
        ({"task": "zero-shot-classification"}, r"needs candidate_labels, as in candidate_labels=\['one', 'another'\]"),
        ({"top_q": 2}, r"has no argument 'top_q'"),
    ],
)
def test_a_mistake_in_the_call_is_one_clear_error(options: dict[str, Any], message: str) -> None:
    task = options.pop("task", "text-classification")
    with pytest.raises((ValueError, TypeError), match=message):
        batch.run(["a"], task, model=SENTIMENT, **options)


def test_the_source_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}')
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(ValueError, match=r"is what the job reads: name another file for what it writes"):
            run(source, source, **options)
    assert source.read_text() == '{"text": "a"}'


def test_an_empty_source_leaves_a_file_without_records(tmp_path: Path) -> None:
    assert run([], tmp_path / "o.jsonl") == Report(tmp_path / "o.jsonl", 0, 0, 0)
    assert (tmp_path / "o.jsonl").read_bytes() == b""


def test_a_bar_shows_how_far_a_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in.txt"
    source.write_text("\n".join(TEXTS))
    run(source, tmp_path / "o.jsonl", progress=True)
    assert "100%" in capsys.readouterr().err
    run(source, tmp_path / "o2.jsonl")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_a_million_records_take_no_more_memory_than_a_few(tmp_path: Path) -> None:
    import subprocess

    script = """
import resource, sys
from nabi import batch
from tests.batch.letters import LetterPipeline

class Quick(LetterPipeline):
    def __call__(self, inputs, **settings):
        return [{"label": "long", "score": 1.0} for _ in inputs]

def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

run = lambda count, name: batch.run((f"text {n}" for n in range(count)), Quick(), out=sys.argv[1] + name)
run(20_000, "/few.jsonl")
before = grown()
run(1_000_000, "/many.jsonl")
before_resuming = grown()
with open(sys.argv[1] + "/many.jsonl", "r+b") as cut:
    cut.truncate(cut.seek(0, 2) - 5)
report = batch.run((f"text {n}" for n in range(1_000_000)), Quick(), out=sys.argv[1] + "/many.jsonl", resume=True)
assert (report.records, report.resumed) == (1_000_000, 999_999)
print(before_resuming - before, grown() - before)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    in_job, in_all = map(int, done.stdout.split())
    assert in_job < 20_000 and in_all < 20_000  # kilobytes
