"""SQuAD and KorQuAD scores are those of the scripts that papers report; recorded by record_answers.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nabi.training.metrics import compute

CASES = json.loads(Path(__file__).with_name("answers.json").read_text(encoding="utf-8"))


def rows(case: dict[str, Any], answered_only: bool = False) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    ids = [name for name in case["golds"] if case["golds"][name] or not answered_only]
    predictions = [
        {"id": name, "prediction_text": case["told"][name], "no_answer_probability": case["probabilities"][name]}
        for name in ids
    ]
    return predictions, [{"id": name, "answers": {"text": case["golds"][name], "answer_start": []}} for name in ids]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_squad_v2_is_the_incumbents(number: int) -> None:
    predictions, references = rows(CASES[number])
    ours = compute("squad_v2", predictions, references, no_answer_threshold=CASES[number]["threshold"])
    assert ours == pytest.approx(CASES[number]["squad_v2"])
    without = [{"id": row["id"], "prediction_text": row["prediction_text"]} for row in predictions]
    assert not any(key.startswith("best") for key in compute("squad_v2", without, references))


@pytest.mark.parametrize("number", range(len(CASES)))
def test_korquad_is_its_official_script(number: int) -> None:
    assert list(compute("korquad", *rows(CASES[number], answered_only=True)).values()) == pytest.approx(
        CASES[number]["korquad"]
    )


@pytest.mark.parametrize(
    ("told", "golds", "exact", "f1"),
    [
        ("The cat!", ["a CAT"], 100, 100),
        ("black cat", ["cat", "black dog cat"], 0, 80),
        ("the", ["a"], 100, 0),  # nothing is left of either: equal, and no word is shared
        ("dog", ["cat"], 0, 0),
        ("서울은", ["서울"], 0, 0),  # the reason for korquad
    ],
)
def test_squad_compares_words_without_articles(told: str, golds: list[str], exact: float, f1: float) -> None:
    references = [{"id": 7, "answers": [{"text": gold} for gold in golds]}]
    scores = compute("squad", [{"id": 7, "prediction_text": told}], references)
    assert scores == pytest.approx({"exact_match": exact, "f1": f1})


def test_predictions_are_matched_by_id_and_not_by_order() -> None:
    references = [{"id": name, "answers": {"text": [name]}} for name in "abc"]
    predictions = [{"id": name, "prediction_text": name} for name in "cab"]
    assert compute("korquad", predictions, references)["exact_match"] == 100


GOOD = [{"id": "1", "prediction_text": "a"}]
GOLD = [{"id": "1", "answers": {"text": ["a"]}}]


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([{"id": "2", "prediction_text": "a"}], GOLD, "no prediction for the question '1'"),
        ([{"id": "1"}], GOLD, r"predictions\[0\] lacks prediction_text; it has id"),
        ([{"id": "1", "prediction_text": None}], GOLD, r"predictions\[0\] has the prediction_text None"),
        (GOOD * 2, GOLD * 2, "predicted more than once"),
        (GOOD, [{"id": "1", "answers": {"text": []}}], "'1' has no answer: 'squad_v2'"),
        (GOOD, [], "1 predictions, but 0 references"),
        ([], [], "nothing to measure"),
        (([[0.1]], [[0.2]]), [[0]], "turn start and end logits into texts"),
    ],
)
def test_what_is_no_answer_is_one_clear_error(predictions: Any, references: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute("squad", predictions, references)
