"""Answers are found in the windows that hold them, and told again from perfect scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nabi.data.rows import Rows
from nabi.training.metrics import EvalPrediction
from nabi.training.tasks.answers import metric_for, predicted_texts
from nabi.training.tasks.question_answering import QuestionAnswering
from nabi.training.tasks.task import TaskSettings

FILLER = "옛날 옛적에 아주 먼 나라에 사람이 살았다. "


def row(answer: str | None, before: int = 0) -> dict[str, Any]:
    context = FILLER * before + "영희는 부산에 산다. 철수는 책을 읽는다."
    answers = (
        {"text": [], "answer_start": []}
        if answer is None
        else {"text": [answer], "answer_start": [context.index(answer)]}
    )
    return {"question": "영희는 어디에 사나요?", "context": context, "answers": answers}


ROWS = Rows([row("부산"), row("책", before=6), row(None), row("영희는 부산에", before=2)])


def test_each_answer_stands_in_the_windows_that_hold_it_and_nowhere_else(tokenizer: Any) -> None:
    examples = QuestionAnswering(TaskSettings()).encode(ROWS, tokenizer, 32).examples
    assert len(examples) > len(ROWS)
    found: dict[int, list[str]] = {number: [] for number in range(len(ROWS))}
    for one in examples:
        assert len(one["input_ids"]) <= 32
        start, end = one["start_positions"], one["end_positions"]
        if (start, end) == (0, 0):
            continue
        context = ROWS[one["row"]]["context"]
        found[one["row"]].append(context[one["offsets"][start][0] : one["offsets"][end][1]].strip())
    for number, texts in found.items():
        wanted = ROWS[number]["answers"]["text"]
        assert bool(texts) == bool(wanted)
        assert all(wanted[0] in text and len(text) <= len(wanted[0]) + 1 for text in texts)


def test_perfect_scores_give_every_answer(tokenizer: Any) -> None:
    task = QuestionAnswering(TaskSettings())
    encoded = task.encode(ROWS, tokenizer, 32)
    width = max(len(one["input_ids"]) for one in encoded.examples)
    starts, ends = np.full((2, len(encoded.examples), width), -10.0)
    for number, one in enumerate(encoded.examples):
        certain = 10.0 if (one["start_positions"], one["end_positions"]) != (0, 0) else 1.0
        starts[number, one["start_positions"]] = ends[number, one["end_positions"]] = certain
    texts = predicted_texts(ROWS, encoded.examples, starts, ends, may_be_none=True)
    assert texts == ["부산", "책을", "", "영희는 부산에"]  # whole pieces: the model knows no smaller ones
    scores = task.metrics(ROWS, encoded, tokenizer)(EvalPrediction((starts, ends), None))
    assert (scores["exact_match"], scores["NoAns_exact"]) == (75.0, 100.0)


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (ROWS, "squad_v2"),
        (Rows([row("부산")]), "korquad"),
        (Rows([{"question": "?", "context": "Ann left.", "answers": [{"text": "Ann", "answer_start": 0}]}]), "squad"),
    ],
    ids=["some without an answer", "Korean", "English"],
)
def test_the_measure_is_that_of_the_data_set(rows: Rows, name: str) -> None:
    assert metric_for(rows) == name


def test_an_answer_that_stands_elsewhere_is_told(tokenizer: Any) -> None:
    rows = Rows([{"question": "?", "context": "Ann left.", "answers": {"text": ["Ann"], "answer_start": [2]}}])
    with pytest.raises(ValueError, match="row 0: the answer 'Ann' does not stand at 2"):
        QuestionAnswering(TaskSettings()).encode(rows, tokenizer, 16)
