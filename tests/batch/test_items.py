"""What a task takes of a record."""

from __future__ import annotations

from typing import Any

import pytest

from nabi.batch.items import PARTS, Items, Unusable
from nabi.data.records import Record
from nabi.pipelines.tasks import TASKS


def item(task: str, fields: dict[str, Any], column: Any = None, **fixed: str) -> Any:
    return Items.of(task, column, fixed).settled(fields).item_of(Record(fields, 1))


@pytest.mark.parametrize(
    ("task", "fields", "column", "expected"),
    [
        ("sentiment-analysis", {"text": "a", "id": 1}, None, "a"),
        ("sentiment-analysis", {"review": "a"}, None, "a"),
        ("ner", {"review": "a", "id": 1}, "review", "a"),
        ("text-classification", {"text": "a", "text_pair": "b"}, None, {"text": "a", "text_pair": "b"}),
        ("text-classification", {"text": "a", "text_pair": ""}, None, "a"),
        ("text-classification", {"text": "a", "text_pair": "b"}, "text", "a"),
        ("text-classification", {"x": "a", "y": "b"}, ["x", "y"], {"text": "a", "text_pair": "b"}),
        ("question-answering", {"question": "a", "context": "b"}, None, {"question": "a", "context": "b"}),
        ("question-answering", {"q": "a", "c": "b"}, ["q", "c"], {"question": "a", "context": "b"}),
        ("question-answering", {"q": "a", "context": "b"}, "q", {"question": "a", "context": "b"}),
        ("translation_en_to_ko", {"text": "a"}, None, "a"),
        ("text-generation", {"text": [{"role": "user", "content": "a"}]}, None, [{"role": "user", "content": "a"}]),
        ("conversational", {"text": "a"}, None, [{"role": "user", "content": "a"}]),
        (
            "sentence-similarity",
            {"source_sentence": "a", "sentences": "b"},
            None,
            {"source_sentence": "a", "sentences": ["b"]},
        ),
        ("image-classification", {"image": "cat.jpg", "label": 1}, None, "cat.jpg"),
        ("image-classification", {"path": "cat.jpg"}, None, "cat.jpg"),
        ("vqa", {"image": "cat.jpg", "question": "?"}, None, {"image": "cat.jpg", "question": "?"}),
        ("image-text-to-text", {"image": "cat.jpg", "text": "?"}, None, {"images": "cat.jpg", "text": "?"}),
        ("automatic-speech-recognition", {"audio": {"array": [0.0]}}, None, {"array": [0.0]}),
    ],
)
def test_a_record_becomes_the_item_of_its_task(task: str, fields: dict[str, Any], column: Any, expected: Any) -> None:
    assert item(task, fields, column) == expected


def test_a_part_may_be_the_same_for_every_record() -> None:
    both = {"question": "a", "context": "b"}
    assert item("question-answering", {"anything": "a"}, context="b") == both
    assert item("question-answering", {"x": "b", "y": 1}, "x", question="a") == both
    assert Items.of("question-answering", None, {"question": "a"}).main_part == "context"


def test_a_missing_column_names_those_that_are_there() -> None:
    with pytest.raises(Unusable, match=r"no column 'text' for the text. The columns are 'id', 'document': name it"):
        item("sentiment-analysis", {"id": 1, "document": "a"})
    with pytest.raises(Unusable, match=r"no column 'review' for the text. The columns are 'text'"):
        item("sentiment-analysis", {"text": 1}, "review")
    with pytest.raises(Unusable, match=r"no column 'context' for the context.*in the order question, context"):
        item("question-answering", {"question": "a", "body": "b"})


def test_the_only_column_of_the_first_record_is_read_of_the_others_too() -> None:
    items = Items.of("sentiment-analysis", None).settled({"review": "a"})
    assert items.item_of(Record({"review": "b", "id": "c"}, 2)) == "b"
    with pytest.raises(Unusable, match=r"no column 'review'.*The columns are 'id'"):
        items.item_of(Record({"id": "c"}, 3))


@pytest.mark.parametrize(("value", "said"), [(None, "missing"), ("", "empty"), (" ", "empty")])
def test_a_part_without_a_value_is_told(value: Any, said: str) -> None:
    with pytest.raises(Unusable, match=f"the context is {said}"):
        item("question-answering", {"question": "a", "context": value})


def test_more_columns_than_parts_and_parts_that_a_task_lacks_are_errors() -> None:
    with pytest.raises(ValueError, match=r"token-classification takes text of a record, but 2 columns are named"):
        Items.of("ner", ["a", "b"])
    with pytest.raises(ValueError, match=r"text-classification takes no context; it takes text and text_pair"):
        Items.of("sentiment-analysis", None, {"context": "a"})


@pytest.mark.parametrize("task", TASKS)
def test_every_task_takes_something(task: str) -> None:
    parts = Items(task).parts
    assert parts and Items(task).main_part == parts[0]
    assert set(PARTS) <= set(TASKS)
