"""Zero-shot classification beside the incumbent's; multi_class beside what 4.57.1 answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline

from .record_text import CANDIDATES, EXPECTATIONS, LONG, MODELS, TEXTS, build, labels

RECORDED = json.loads(EXPECTATIONS.read_text(encoding="utf-8"))
NLI = ["contradiction", "neutral", "entailment"]
ORDERS = {"last": NLI, "first": ["ENTAILMENT", "neutral", "contradiction"], "two": ["entailment", "not_entailment"]}
TEXTS = TEXTS[:3]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(
    scope="module", params=[*((kind, "last") for kind in MODELS), ("bert", "first"), ("bert", "two")], ids=str
)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    kind, order = request.param
    folder = tmp_path_factory.mktemp("model")
    build(transformers, kind, "ForSequenceClassification", folder, **labels(ORDERS[order]))
    theirs = transformers.pipeline("zero-shot-classification", model=str(folder), device="cpu")
    return pipeline("zero-shot-classification", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "ForSequenceClassification", tmp_path_factory.mktemp("model"), **labels(NLI))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("zero-shot-classification", model=folder, device="cpu")


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert list(ours) == list(theirs) == ["sequence", "labels", "scores"]
        assert (ours["sequence"], ours["labels"]) == (theirs["sequence"], theirs["labels"])
        assert ours["scores"] == pytest.approx(theirs["scores"], abs=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"multi_label": True},
        {"multi_label": False},
        {"candidate_labels": "Berlin, the game,, 축구 "},
        {"candidate_labels": "Berlin"},
        {"candidate_labels": ["Berlin"], "multi_label": False},
        {"hypothesis_template": "이 글은 {}에 관한 것이다."},
        {"hypothesis_template": "{0} or {0}", "multi_label": True},
    ],
    ids=str,
)
def test_every_argument_gives_what_the_incumbent_gives(both: tuple[Any, Any], call: dict[str, Any]) -> None:
    ours, theirs = both
    call = {"candidate_labels": CANDIDATES, **call}
    for given_inputs in (*TEXTS, TEXTS, TEXTS[:1]):
        assert_same(ours(given_inputs, **call), theirs(given_inputs, **call))
    assert_same(ours(LONG * 2, **call), theirs(LONG * 2, **call))


def test_labels_may_stand_second_and_in_the_constructor(folder: Path, pipe: Any) -> None:
    expected = pipe(TEXTS, candidate_labels=CANDIDATES)
    assert_same(pipe(TEXTS, CANDIDATES), expected)
    assert_same(pipe(sequences=TEXTS, candidate_labels=tuple(CANDIDATES)), expected)
    fixed = pipeline("zero-shot-classification", model=folder, device="cpu", candidate_labels=CANDIDATES)
    assert_same(fixed(TEXTS), expected)
    assert len(fixed(TEXTS[0], candidate_labels="a, b")["labels"]) == 2


@pytest.mark.parametrize("several", ["None", "False", "True"])
def test_multi_class_is_the_old_name_of_multi_label(pipe: Any, several: str) -> None:
    value = {"None": None, "False": False, "True": True}[several]
    assert_same(pipe(TEXTS, CANDIDATES, multi_class=value), RECORDED["zero-shot-classification"][several])


def test_labels_that_score_alike_keep_the_incumbents_order(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    assert_same(ours(TEXTS[0], ["the", "the", "a"]), theirs(TEXTS[0], ["the", "the", "a"]))


@given(
    texts=st.lists(
        st.lists(st.sampled_from(LONG.split()), min_size=1, max_size=30).map(" ".join), min_size=1, max_size=5
    ),
    batch_size=st.integers(1, 7),
)
@settings(max_examples=20, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    for text, result in zip(texts, pipe(texts, CANDIDATES, batch_size=batch_size), strict=True):
        alone = pipe(text, CANDIDATES)
        scores = dict(zip(alone["labels"], alone["scores"], strict=True))
        assert dict(zip(result["labels"], result["scores"], strict=True)) == pytest.approx(scores, abs=1e-5)


def test_generators_give_iterators(pipe: Any) -> None:
    results = pipe(iter(TEXTS), candidate_labels=CANDIDATES)
    assert isinstance(results, Iterator)
    assert_same(list(results), pipe(TEXTS, CANDIDATES))


def test_without_a_padding_token_pairs_run_one_by_one(folder: Path, pipe: Any) -> None:
    bare = pipeline("zero-shot-classification", model=folder, device="cpu")
    bare.tokenizer.pad_token = None
    assert_same(bare(TEXTS, CANDIDATES), pipe(TEXTS, CANDIDATES))


def test_a_model_without_entailment_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = build(transformers, "bert", "ForSequenceClassification", tmp_path, **labels(["bad", "so-so", "good"]))
    theirs = transformers.pipeline("zero-shot-classification", model=str(folder), device="cpu")
    with caplog.at_level(logging.WARNING, "nabi.pipelines"):
        ours = pipeline("zero-shot-classification", model=folder, device="cpu")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "begins with 'entail' (bad, so-so, good)" in line and "label2id" in line
    assert_same(ours(TEXTS, CANDIDATES), theirs(TEXTS, CANDIDATES))


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"), [(None, "None is no text"), ("", "the text is empty"), (3, "3 of the type")]
)
def test_a_bad_item_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*{message}"):
        pipe(["the city", bad], CANDIDATES)
    assert isinstance(pipe(["the city", bad], CANDIDATES, on_error="return")[1], Exception)
    assert pipe([], CANDIDATES) == []


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"candidate_labels": []}, ValueError, "candidate_labels is empty"),
        ({"candidate_labels": " , "}, ValueError, "candidate_labels is empty"),
        ({"candidate_labels": ["a", None]}, ValueError, "candidate label 1 is None"),
        ({"candidate_labels": 3}, TypeError, "candidate_labels is 3"),
        ({}, ValueError, r"no labels to choose from: pass candidate_labels="),
        ({"candidate_labels": "a", "hypothesis_template": "This is"}, ValueError, r"'This is' has no \{\} where"),
        ({"candidate_labels": "a", "hypothesis_template": "{x}"}, ValueError, "cannot be filled in"),
        ({"candidate_labels": "a", "hypothesis_template": None, "multi_labl": True}, TypeError, "'multi_label'"),
        ({"candidate_labels": "the " * 70}, ValueError, "leaves no room for a text in the 64"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_one_clear_error(pipe: Any, wrong: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        pipe("the city", **wrong)
    with pytest.raises(TypeError, match="after the text come the labels alone"):
        pipe("the city", ["a"], ["b"])


def test_a_model_without_the_head_is_refused(folder: Path, pipe: Any) -> None:
    model = nabi.BertModel.from_pretrained(folder)
    bare = pipeline("zero-shot-classification", model=model, tokenizer=pipe.tokenizer, device="cpu")
    with pytest.raises(TypeError, match=r"BertModel gives no logits .*trained on NLI"):
        bare("the city", CANDIDATES)
