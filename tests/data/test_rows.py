"""Rows are a list of dicts with columns, and a dataset that torch and the trainers of others take."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import datasets
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BatchEncoding

from nabi.data.rows import Rows

ROWS = Rows([{"id": n, "text": f"문장 {n}", "label": ["부정", "긍정"][n % 2]} for n in range(10)])


def test_rows_are_had_by_number_slice_and_column() -> None:
    assert len(ROWS) == 10
    assert ROWS[-1] == {"id": 9, "text": "문장 9", "label": "긍정"}
    assert ROWS[2:4]["id"] == [2, 3]
    assert ROWS.columns == ROWS.column_names == ["id", "text", "label"]
    assert [row["id"] for row in ROWS] == ROWS["id"]
    assert Rows([{"a": 1}, {"b": 2}])["a"] == [1, None]
    assert repr(ROWS.with_labels()) == "Rows(10 rows, columns: id, text, label, labels: 긍정, 부정)"
    with pytest.raises(KeyError, match="no column 'lable'; there are id, text, label"):
        ROWS["lable"]


def test_torch_loads_batches_of_them() -> None:
    batches = list(torch.utils.data.DataLoader(ROWS.with_labels(), batch_size=4))  # type: ignore[arg-type]
    assert [batch["label"].tolist() for batch in batches] == [[1, 0, 1, 0], [1, 0, 1, 0], [1, 0]]


def test_filter_select_shuffle_and_columns_give_new_rows() -> None:
    before = list(ROWS)
    assert ROWS.filter(lambda row: row["id"] > 7)["id"] == [8, 9]
    assert ROWS.select([3, 1])["id"] == [3, 1]
    assert sorted(ROWS.shuffle(seed=1)["id"]) == ROWS["id"] != ROWS.shuffle(seed=1)["id"]
    assert ROWS.shuffle(seed=1) == ROWS.shuffle(seed=1) != ROWS.shuffle(seed=2)
    assert ROWS.rename_column("text", "document").remove_columns("id").columns == ["document", "label"]
    with pytest.raises(ValueError, match="'text' cannot be called 'id': there is one"):
        ROWS.rename_column("text", "id")
    assert list(ROWS) == before


@given(count=st.integers(2, 40), share=st.floats(0.05, 0.95), seed=st.integers(0, 5))
def test_a_split_parts_all_rows_and_loses_none(count: int, share: float, seed: int) -> None:
    rows = Rows([{"id": n} for n in range(count)])
    if round(count * share) in (0, count):
        with pytest.raises(ValueError, match="leaves"):
            rows.train_test_split(share, seed)
        return
    split = rows.train_test_split(share, seed)
    assert len(split["test"]) == round(count * share)
    assert sorted(split["train"]["id"] + split["test"]["id"]) == rows["id"]
    assert split == rows.train_test_split(share, seed)


def test_a_split_may_keep_the_order_and_count_rows() -> None:
    assert ROWS.train_test_split(3, shuffle=False)["test"]["id"] == [7, 8, 9]


@pytest.mark.parametrize("batch_size", [3, 1000])
def test_map_batched_and_row_by_row_give_what_datasets_gives(batch_size: int) -> None:
    def words(row: Any) -> Any:
        texts = row["text"] if isinstance(row["text"], list) else [row["text"]]
        made = {"ids": [[len(word) for word in text.split()] for text in texts], "id": [0] * len(texts)}
        return BatchEncoding(made if isinstance(row["text"], list) else {key: value[0] for key, value in made.items()})

    theirs = datasets.Dataset.from_list(list(ROWS)).map(words, remove_columns="label").to_list()
    assert list(ROWS.map(words, remove_columns="label")) == theirs
    assert list(ROWS.map(words, batched=True, batch_size=batch_size, remove_columns=["label"])) == theirs


def test_map_may_give_more_rows_than_it_got_if_nothing_old_is_kept() -> None:
    def doubled(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {"twice": [value for value in batch["id"] for _ in range(2)]}

    assert ROWS.map(doubled, batched=True, remove_columns=ROWS.columns)["twice"][:4] == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"twice has 20, id has 10.*remove_columns"):
        ROWS.map(doubled, batched=True)
    with pytest.raises(TypeError, match="the function of map gives a NoneType"):
        ROWS.map(lambda row: None)  # type: ignore[arg-type, return-value]


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (["b", "a", "b"], ["a", "b"], [1, 0, 1]),
        (["0", "1", "1"], ["0", "1"], [0, 1, 1]),
        (["10", "9", "2"], ["2", "9", "10"], [2, 1, 0]),  # by size, not by letters
        ([1, 5, 1.0], ["1", "5"], [0, 1, 0]),
        ([True, False], ["0", "1"], [1, 0]),
        (["-1", "0", "1"], ["-1", "0", "1"], [0, 1, 2]),
        (["1", "one"], ["1", "one"], [0, 1]),
        ([["B-X", "O"], ["O"]], ["B-X", "O"], [[0, 1], [1]]),
    ],
)
def test_labels_become_ids_in_a_stable_order(labels: list[Any], names: list[str], ids: list[Any]) -> None:
    for order in (1, -1):
        rows = Rows([{"label": label} for label in labels[::order]]).with_labels()
        assert rows.label_names == names
        assert rows["label"] == ids[::order]
    assert rows.id2label == dict(enumerate(names))
    assert rows[:1].map(lambda row: {}).filter(bool).label2id == {name: place for place, name in enumerate(names)}


def test_numbers_with_fractions_stay_numbers() -> None:
    rows = Rows([{"label": "3.5"}, {"label": 1}]).with_labels()
    assert rows["label"] == [3.5, 1.0]
    assert rows.label_names is None


def test_given_names_set_the_ids_and_anything_else_is_an_error() -> None:
    assert ROWS.with_labels(names=["부정", "긍정", "중립"])["label"][:2] == [0, 1]
    with pytest.raises(ValueError, match="row 1 has the label '긍정', which is none of the labels 부정, 중립"):
        ROWS.with_labels(names=["부정", "중립"])
    with pytest.raises(ValueError, match="a label is named twice"):
        ROWS.with_labels(names=["부정", "긍정", "부정"])
    for missing in (None, "", float("nan")):
        with pytest.raises(ValueError, match="row 1 has no label"):
            Rows([{"label": "a"}, {"label": missing}]).with_labels()


# ---------------------------------------------------------------- neighbours


def test_to_datasets_gives_the_same_rows() -> None:
    assert ROWS.to_datasets().to_list() == list(ROWS)


def test_rows_load_neither_torch_nor_numpy() -> None:
    code = "import sys, nabi.data.load, nabi.data.columns; print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
