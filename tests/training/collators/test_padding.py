"""Collators without chance make what the incumbent's make, and say clearly what they cannot make."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import nabi
from nabi.training import collators

from .tokenizers import examples, pair


def assert_same(ours: Any, theirs: Any) -> None:
    theirs = {key: value for key, value in dict(theirs).items() if value is not None}
    assert set(ours) >= set(theirs) and set(ours) - set(theirs) <= {"attention_mask"}
    for key, value in theirs.items():
        assert type(ours[key]) is type(value), key
        if not isinstance(value, int):
            assert ours[key].dtype == value.dtype, key
            assert ours[key].tolist() == value.tolist(), key
        else:
            assert ours[key] == value, key


def both(name: str, kind: str, rows: list[Any], **settings: Any) -> None:
    mine, its = pair(kind)
    ours = getattr(collators, name)(mine, **settings)(copy.deepcopy(rows))
    assert_same(ours, getattr(transformers, name)(its, **settings)(copy.deepcopy(rows)))


def with_labels(kind: str, form: str = "list", **settings: Any) -> list[dict[str, Any]]:
    rows = examples(kind, **settings)
    for row in rows:
        labels = [token % 5 for token in row["input_ids"]]
        row["labels"] = {"list": list, "array": np.array, "tensor": torch.tensor}[form](labels)
    return rows


@pytest.mark.parametrize("return_tensors", ["pt", "np"])
@pytest.mark.parametrize(
    "rows",
    [
        [{"a": [1, 2], "label": 1}, {"a": [3, 4], "label": 0}],
        [{"a": [1.5, 2], "label": 0.5, "text": "나비"}, {"a": [3, 4], "label": 1, "text": "꽃"}],
        [
            {"a": np.ones((2, 2), np.float32), "label_ids": [0, 1]},
            {"a": np.zeros((2, 2), np.float32), "label_ids": [1, 2]},
        ],
        [{"a": 1, "label_ids": [0.5, 1.0], "b": None}, {"a": 2, "label_ids": [1.0, 2.0], "b": None}],
        [{"a": True, "label": [0, 1]}, {"a": False, "label": [1, 1]}],
        [{"a": 1, "labels": 3}, {"a": 2, "labels": 4}],
        [SimpleNamespace(input_ids=[1, 2], label=1, token_type_ids=None), SimpleNamespace(input_ids=[3, 4], label=2)],
    ],
    ids=["class", "value", "array", "label_ids", "several", "labels", "objects"],
)
def test_the_default_collator_stacks_as_the_incumbent_does(rows: list[Any], return_tensors: str) -> None:
    ours = collators.default_data_collator(rows, return_tensors)
    assert_same(ours, transformers.default_data_collator(rows, return_tensors))
    assert_same(collators.DefaultDataCollator()(rows, return_tensors), ours)


@pytest.mark.parametrize("scalar", [torch.tensor(1), torch.tensor(1.5), np.int64(1), np.float32(1)], ids=str)
def test_the_default_collator_takes_labels_of_every_kind(scalar: Any) -> None:
    rows = [{"a": torch.tensor([1, 2]), "label": scalar}] * 2
    assert_same(collators.default_data_collator(rows), transformers.default_data_collator(rows))


@pytest.mark.parametrize(
    "settings", [{}, {"pad_to_multiple_of": 8}, {"padding": "max_length", "max_length": 60}], ids=str
)
@pytest.mark.parametrize("return_tensors", ["pt", "np"])
@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_padding_is_the_incumbents(kind: str, return_tensors: str, settings: dict[str, Any]) -> None:
    rows = [{**row, "label": index} for index, row in enumerate(examples(kind))]
    both("DataCollatorWithPadding", kind, rows, return_tensors=return_tensors, **settings)
    labelled = with_labels(kind)
    both("DataCollatorForTokenClassification", kind, labelled, return_tensors=return_tensors, **settings)
    both("DataCollatorForSeq2Seq", kind, labelled, return_tensors=return_tensors, label_pad_token_id=-1, **settings)


@pytest.mark.parametrize("form", ["list", "array", "tensor"])
def test_labels_of_tokens_may_be_lists_arrays_or_tensors(form: str) -> None:
    both("DataCollatorForTokenClassification", "unigram", with_labels("unigram", form))
    if form != "tensor":
        both("DataCollatorForSeq2Seq", "unigram", with_labels("unigram", form))


def test_examples_may_be_objects_encodings_or_tensors() -> None:
    tokenizer, _ = pair("wordpiece")
    plain = examples("wordpiece")
    expected = collators.DataCollatorWithPadding(tokenizer)(plain)
    tensors = [{key: torch.tensor(value) for key, value in row.items()} for row in plain]
    objects = [SimpleNamespace(**row, label=None) for row in plain]
    encodings = [tokenizer(tokenizer.decode(row["input_ids"], skip_special_tokens=True)) for row in plain]
    for rows in (tensors, objects, encodings):
        assert_same(collators.DataCollatorWithPadding(tokenizer)(rows), expected)


@pytest.mark.parametrize("return_tensors", ["pt", "np"])
def test_seq2seq_prepares_the_decoders_inputs(return_tensors: str) -> None:
    tokenizer, _ = pair("wordpiece")
    config = dict(vocab_size=700, d_model=8, num_layers=1, d_kv=4, d_ff=8, num_heads=2, decoder_start_token_id=0)
    model = nabi.T5ForConditionalGeneration(nabi.T5Config(**config))
    batch = collators.DataCollatorForSeq2Seq(tokenizer, model)(with_labels("wordpiece"), return_tensors)
    assert isinstance(batch["decoder_input_ids"], torch.Tensor if return_tensors == "pt" else np.ndarray)
    labels = np.asarray(batch["labels"])
    assert (np.asarray(batch["decoder_input_ids"])[:, 1:] == np.where(labels == -100, 0, labels)[:, :-1]).all()
    without = [{key: row[key] for key in ("input_ids", "attention_mask")} for row in with_labels("wordpiece")]
    assert set(collators.DataCollatorForSeq2Seq(tokenizer, model)(without)) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize("return_tensors", ["pt", "np"])
@pytest.mark.parametrize("label", ["label", "labels"])
def test_choices_are_padded_together(label: str, return_tensors: str) -> None:
    rows = examples("wordpiece")
    nested = [
        {key: [one[key], other[key]] for key in one} | {label: 1} for one, other in zip(rows[:3], rows[2:], strict=True)
    ]
    mine, its = pair("wordpiece")
    ours = collators.DataCollatorForMultipleChoice(mine, return_tensors=return_tensors)(copy.deepcopy(nested))
    theirs = transformers.DataCollatorForMultipleChoice(its)(nested)
    assert {key: value.tolist() for key, value in ours.items()} == {
        key: value.tolist() for key, value in theirs.items()
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"return_position_ids": False, "separator_id": 7},
        {"return_flash_attn_kwargs": True, "return_seq_idx": True, "position_ids_start": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("return_tensors", ["pt", "np"])
@pytest.mark.parametrize("labelled", [True, False])
def test_flattening_is_the_incumbents(labelled: bool, return_tensors: str, settings: dict[str, Any]) -> None:
    rows = with_labels("bpe") if labelled else examples("bpe")
    ours = collators.DataCollatorWithFlattening(return_tensors=return_tensors, **settings)(rows)
    assert_same(ours, transformers.DataCollatorWithFlattening(return_tensors=return_tensors, **settings)(rows))


def test_rows_of_one_length_need_no_padding_token() -> None:
    tokenizer = copy.deepcopy(pair("bpe")[0])
    tokenizer.pad_token = None
    rows = [{"input_ids": [1, 2, 3]}, {"input_ids": [4, 5, 6]}]
    assert collators.DataCollatorWithPadding(tokenizer)(rows)["input_ids"].tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match="no padding token"):
        collators.DataCollatorWithPadding(tokenizer)([*rows, {"input_ids": [1]}])


@dataclass
class Unlike:
    make: Any
    rows: list[Any]
    says: str


WORDS = pair("wordpiece")[0]
ONE = {"input_ids": [1, 2], "attention_mask": [1, 1]}
UNLIKE = {
    "no example": Unlike(collators.DefaultDataCollator(), [], "no example"),
    "lengths": Unlike(
        collators.DefaultDataCollator(), [{"a": [1, 2]}, {"a": [1]}], "'a' has 1 to 2 .*DataCollatorWithPadding"
    ),
    "labels' lengths": Unlike(
        collators.DefaultDataCollator(),
        [{"labels": [1, 2]}, {"labels": [1]}],
        "'labels' has 1 to 2 .*TokenClassification",
    ),
    "unpadded labels": Unlike(
        collators.DataCollatorWithPadding(WORDS),
        [{**ONE, "labels": [1, 2]}, {**ONE, "labels": [1]}],
        "'labels' has 1 to 2",
    ),
    "a text": Unlike(
        collators.DataCollatorWithPadding(WORDS), [{**ONE, "text": "나비"}] * 2, r"'text' .*remove_columns"
    ),
    "texts": Unlike(collators.DefaultDataCollator(), [{"words": ["나비"]}] * 2, "'words' holds text"),
    "a label's name": Unlike(collators.DefaultDataCollator(), [{"label": "긍정"}] * 2, "'label' holds text .*label2id"),
    "a missing label": Unlike(
        collators.DataCollatorWithPadding(WORDS), [{**ONE, "label": 1}, ONE], "example 1 .* 'label'"
    ),
    "None": Unlike(
        collators.DataCollatorWithPadding(WORDS), [{**ONE, "label": None}, {**ONE, "label": 1}], "example 0"
    ),
    "a dict": Unlike(
        collators.DataCollatorWithPadding(WORDS), [{**ONE, "meta": {"id": 1}}] * 2, "'meta' holds dict objects"
    ),
    "no ids": Unlike(
        collators.DataCollatorWithPadding(WORDS), [{"text": "나비"}], "no 'input_ids', only text: tokenize"
    ),
    "texts alone": Unlike(collators.DefaultDataCollator(), [{"text": "나비"}], "no 'input_ids', only texts: tokenize"),
    "one label": Unlike(
        collators.DataCollatorForTokenClassification(WORDS),
        [{**ONE, "labels": 3}],
        "the one label 3.*DataCollatorWithPadding",
    ),
    "one text": Unlike(collators.DataCollatorForMultipleChoice(WORDS), [{**ONE, "label": 0}], "one for each choice"),
    "tokens and labels": Unlike(
        collators.DataCollatorForTokenClassification(WORDS), [{**ONE, "labels": [1]}], "1 labels for 2 tokens"
    ),
    "labels too long": Unlike(
        collators.DataCollatorForSeq2Seq(WORDS, padding="max_length", max_length=3),
        [{**ONE, "labels": [1, 2, 3, 4]}],
        "'labels' of example 0 has 4 values, more than the 3",
    ),
    "choices": Unlike(
        collators.DataCollatorForMultipleChoice(WORDS),
        [{"input_ids": [[1], [2]], "label": 0}, {"input_ids": [[1]], "label": 0}],
        "'input_ids' of example 1 does not hold 2 choices",
    ),
    "flat labels": Unlike(
        collators.DataCollatorWithFlattening(), [{"input_ids": [1, 2], "labels": [1]}], "1 values in all"
    ),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_what_makes_no_batch_is_said_with_a_remedy(case: str) -> None:
    with pytest.raises(ValueError, match=UNLIKE[case].says):
        UNLIKE[case].make(UNLIKE[case].rows)


def test_an_unknown_kind_of_tensors_is_an_error() -> None:
    for make in (
        collators.DefaultDataCollator,
        lambda **kind: collators.DataCollatorForLanguageModeling(WORDS, **kind),
    ):
        with pytest.raises(ValueError, match=r"'tf'.*'pt'"):
            make(return_tensors="tf")([ONE])


@pytest.mark.parametrize("given", [ONE, "나비", ["나비"], [5, 6]], ids=str)
def test_what_is_no_list_of_examples_is_an_error(given: Any) -> None:
    for collate in (collators.DataCollatorWithPadding(WORDS), collators.DataCollatorForLanguageModeling(WORDS)):
        with pytest.raises(TypeError, match="a collator takes"):
            collate(given)
