"""BatchEncoding: a dict with attributes, rows and tensors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from nabi.tokenization import AutoTokenizer, BatchEncoding, CharSpan, TokenSpan


@pytest.fixture
def batch(folders: dict[str, Path]) -> BatchEncoding:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    return tokenizer(["나비 영화", "이 영화는 최고"], padding=True, return_tensors="pt")


def test_it_is_a_mapping_with_attributes(batch: BatchEncoding) -> None:
    assert isinstance(batch, Mapping)
    assert batch.input_ids is batch["input_ids"]
    assert set(dict(**batch)) == {"input_ids", "token_type_ids", "attention_mask"}
    assert batch[1].ids == batch["input_ids"][1].tolist()
    assert batch.is_fast and batch.n_sequences == 1
    assert not hasattr(batch, "labels")


def test_pickles_and_copies_keep_values_and_encodings(batch: BatchEncoding) -> None:
    for twin in (pickle.loads(pickle.dumps(batch)), copy.deepcopy(batch), batch.copy(), copy.copy(batch)):
        assert torch.equal(twin["input_ids"], batch["input_ids"])
        assert twin.word_ids(1) == batch.word_ids(1)
        assert twin.n_sequences == 1


def test_to_moves_tensors_and_never_casts(batch: BatchEncoding) -> None:
    batch["texts"] = ["a", "b"]
    assert batch.to("meta") is batch
    assert batch["input_ids"].device.type == "meta"
    assert batch["texts"] == ["a", "b"]
    batch.to(torch.float16)
    assert batch["input_ids"].dtype == torch.int64


def test_spans_are_named(batch: BatchEncoding) -> None:
    assert batch.token_to_chars(1) == CharSpan(0, batch.token_to_chars(1).end)
    assert isinstance(batch.word_to_tokens(0, 1), TokenSpan)
    assert batch.token_to_chars(0) is None, "a special token stands for no characters"
    assert batch.token_to_word(0, -1) is None
    assert batch.words(1) == batch.word_ids(1)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[1, 2], [3, 4]], torch.int64),
        ([1.5, 2.5], torch.float32),
        ([True, False], torch.bool),
        ([], torch.int64),
        ([[], []], torch.int64),
        ([torch.tensor([1.0]), torch.tensor([2.0])], torch.float32),
    ],
)
def test_values_become_tensors_of_the_expected_type(value: Any, dtype: torch.dtype) -> None:
    tensor = BatchEncoding({"x": value}, tensor_type="pt")["x"]
    assert tensor.dtype == dtype
    assert tensor.shape[0] == len(value)


def test_a_batch_axis_is_prepended_when_asked() -> None:
    batch = BatchEncoding({"x": [1, 2]}, tensor_type="pt", prepend_batch_axis=True)
    assert batch["x"].shape == (1, 2)


def test_text_cannot_be_a_torch_tensor() -> None:
    with pytest.raises(ValueError, match="'name' holds no numbers"):
        BatchEncoding({"name": ["a", "b"]}, tensor_type="pt")
    with pytest.raises(ValueError, match="'name'"):
        BatchEncoding({"name": [None, 1]}, tensor_type="np")
