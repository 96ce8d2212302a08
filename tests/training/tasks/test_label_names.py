"""Labels of the data, of the user and of the checkpoint make one list of names, and each label one id."""

from __future__ import annotations

from typing import Any

import pytest

from nabi.auto import AutoConfig
from nabi.training.tasks.label_names import Labels

PLAIN = AutoConfig.for_model("bert")  # LABEL_0, LABEL_1
NAMED = AutoConfig.for_model("bert", id2label={0: "negative", 1: "positive"}, label2id={"negative": 0, "positive": 1})


@pytest.mark.parametrize(
    ("values", "given", "config", "names", "ids"),
    [
        (["0", "1", "1"], None, PLAIN, ("0", "1"), [0, 1, 1]),
        (["0", "1", "1"], None, NAMED, ("negative", "positive"), [0, 1, 1]),
        ([1, 0], None, NAMED, ("negative", "positive"), [1, 0]),
        (["positive", "negative"], None, NAMED, ("negative", "positive"), [1, 0]),
        (["부정", "긍정"], None, NAMED, ("긍정", "부정"), [1, 0]),
        (["10", "9", "2"], None, PLAIN, ("2", "9", "10"), [2, 1, 0]),
        (["0", "1"], ("부정", "긍정"), NAMED, ("부정", "긍정"), [0, 1]),
        (["b", "a"], ("b", "a", "c"), PLAIN, ("b", "a", "c"), [0, 1]),
        ([0, 2, 1], None, NAMED, ("0", "1", "2"), [0, 2, 1]),
    ],
    ids=[
        "numbers", "numbers for the checkpoint's names", "integers", "the checkpoint's names", "other names", "by size",
        "numbers for the user's names", "the user's order", "another count than the checkpoint's",
    ],
)  # fmt: skip
def test_names_and_ids(values: list[Any], given: Any, config: Any, names: tuple[str, ...], ids: list[int]) -> None:
    labels = Labels.of(values, given, config)
    assert labels.names == names
    assert [labels.id_of(value, 0) for value in values] == ids
    assert labels.config_keys()["label2id"] == {name: number for number, name in enumerate(names)}


@pytest.mark.parametrize(
    ("values", "given", "words"),
    [
        (["a", "b"], ("c", "d"), "labels a, b, which are none of c, d"),
        (["0", "7"], ("c", "d"), "none of c, d"),
        (["a", "a"], None, "all rows have the label 'a'"),
        (["a", "b"], ("a", "a", "b"), "named twice"),
    ],
    ids=["other labels", "a number beyond the names", "one label alone", "a name twice"],
)
def test_labels_that_do_not_fit_are_refused(values: list[str], given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Labels.of(values, given, PLAIN)


def test_a_label_that_the_training_rows_lack_is_told_with_its_row() -> None:
    with pytest.raises(ValueError, match="row 7 has the label 'c', but those of the training are a, b"):
        Labels.of(["a", "b"], None, PLAIN).id_of("c", 7)
