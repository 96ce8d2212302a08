"""Tags of words and of characters land on the right pieces of the text."""

from __future__ import annotations

from typing import Any

import pytest

from nabi.auto import AutoConfig
from nabi.data.rows import Rows
from nabi.training.tasks.task import TaskSettings
from nabi.training.tasks.token_classification import TokenClassification

CONFIG = AutoConfig.for_model("bert")


def learned(rows: Rows) -> TokenClassification:
    task = TokenClassification(TaskSettings())
    task.learn(rows, CONFIG)
    return task


def test_the_first_piece_of_each_word_has_its_tag_as_with_words_given_one_by_one(tokenizer: Any) -> None:
    words = ["Unbelievable", "performances", "in", "서울특별시에서", "."]
    tags = ["B-A", "O", "O", "B-LOC", "O"]
    rows = Rows([{"tokens": words, "tags": tags}])
    task = learned(rows)
    example = task.encode(rows, tokenizer, 64).examples[0]
    by_words = tokenizer([words], is_split_into_words=True)
    ids = by_words.word_ids(0)
    first = [word is not None and word != before for before, word in zip([None, *ids], ids, strict=False)]
    names = task.describe()
    assert example["input_ids"] == by_words["input_ids"][0]
    assert [names.get(label) for label in example["labels"]] == [
        tags[word] if is_first else None for word, is_first in zip(ids, first, strict=True)
    ]


def test_of_characters_every_piece_has_the_tag_of_its_first_one(tokenizer: Any) -> None:
    text = "이병헌은 서울에서 산다."
    tags = ["B-PS", "I-PS", "I-PS", "O", "O", "B-LC", "I-LC", *["O"] * (len(text) - 7)]
    rows = Rows([{"tokens": list(text), "tags": tags}])
    task = learned(rows)
    example = task.encode(rows, tokenizer, 64).examples[0]
    encoded = tokenizer(text, return_offsets_mapping=True)
    assert example["input_ids"] == encoded["input_ids"]  # as the text will be read when the model is used
    names = task.describe()
    pieces = [(end - len(text[start:end].lstrip()), end) for start, end in encoded["offset_mapping"]]
    expected = [tags[start] if start < end else None for start, end in pieces]
    assert [names.get(label) for label in example["labels"]] == expected


@pytest.mark.parametrize(
    ("tags", "best"), [(["B-PER", "O"], "f1"), (["NN", "VB"], "accuracy")], ids=["entities", "parts of speech"]
)
def test_entities_are_measured_whole_and_other_tags_one_by_one(tags: list[str], best: str) -> None:
    task = learned(Rows([{"tokens": ["Ann", "ran"], "tags": tags}]))
    assert task.best == best


def test_tokens_without_a_tag_are_told_with_their_row(tokenizer: Any) -> None:
    rows = Rows([{"tokens": ["a", "bb"], "tags": ["O", "B-X"]}, {"tokens": ["a", "bb"], "tags": ["O"]}])
    with pytest.raises(ValueError, match="row 1 has 2 tokens, but 1 tags"):
        learned(rows).encode(rows, tokenizer, 8)
