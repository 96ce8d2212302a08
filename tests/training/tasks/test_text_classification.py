"""Texts, pairs, several labels and numbers become examples."""

from __future__ import annotations

from typing import Any

import pytest

from nabi.auto import AutoConfig
from nabi.data.rows import Rows
from nabi.training.tasks.task import TaskSettings
from nabi.training.tasks.text_classification import TextClassification

CONFIG = AutoConfig.for_model("bert")


def learned(rows: Rows, **settings: Any) -> TextClassification:
    task = TextClassification(TaskSettings(**settings))
    task.learn(rows, CONFIG)
    return task


def test_a_pair_is_one_example_and_cut_rows_are_counted(tokenizer: Any) -> None:
    rows = Rows(
        [
            {"text": "좋은 영화", "text_pair": "나쁜 영화", "label": "x"},
            {"text": "a", "text_pair": "b c d e f g", "label": "y"},
        ]
    )
    encoded = learned(rows).encode(rows, tokenizer, 8)
    assert (
        encoded.examples[0]["input_ids"]
        == tokenizer("좋은 영화", "나쁜 영화", max_length=8, truncation=True)["input_ids"]
    )
    assert [len(one["input_ids"]) <= 8 for one in encoded.examples] == [True, True]
    assert encoded.cut == 1
    assert [one["labels"] for one in encoded.examples] == [0, 1]


@pytest.mark.parametrize(
    ("labels", "settings", "expected", "kind"),
    [
        (
            [["a", "b"], [], ["c"]],
            {"multi_label": True},
            [[1, 1, 0], [0, 0, 0], [0, 0, 1]],
            "multi_label_classification",
        ),
        (["a,b", "", "c"], {"multi_label": True}, [[1, 1, 0], [0, 0, 0], [0, 0, 1]], "multi_label_classification"),
        (["0.5", "3", "4.25"], {}, [0.5, 3.0, 4.25], "regression"),
        (["1", "3", "4"], {"regression": True}, [1.0, 3.0, 4.0], "regression"),
        (["1", "3", "4"], {}, [0, 1, 2], "single_label_classification"),
    ],
    ids=["lists", "names with commas", "fractions", "numbers as numbers", "numbers as classes"],
)
def test_labels_of_every_kind(labels: list[Any], settings: Any, expected: list[Any], kind: str, tokenizer: Any) -> None:
    rows = Rows([{"text": "글", "label": label} for label in labels])
    task = learned(rows, **settings)
    assert [one["labels"] for one in task.encode(rows, tokenizer, 8).examples] == expected
    assert task.config_keys()["problem_type"] == kind


def test_lists_need_to_be_meant() -> None:
    with pytest.raises(ValueError, match="multi_label"):
        learned(Rows([{"text": "a", "label": ["x"]}, {"text": "b", "label": ["y"]}]))
