"""Filling in masks beside the incumbent's, on tiny random models."""

from __future__ import annotations

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

from .record_text import LONG, MODELS, build

TEXTS = [
    "Anna lives in {}.",
    "{} 서울에서 살고 있다.",
    "{} is in the {}, and {}",
    "The old city of {} is in the valley of a big river.",
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=MODELS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    head = "ForConditionalGeneration" if request.param == "bart" else "ForMaskedLM"
    folder = build(transformers, request.param, head, tmp_path_factory.mktemp("model"))
    theirs = transformers.pipeline("fill-mask", model=str(folder), device="cpu")
    return pipeline("fill-mask", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "ForMaskedLM", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("fill-mask", model=folder, device="cpu")


def masked(pipe: Any, texts: list[str] = TEXTS) -> list[str]:
    return [text.replace("{}", pipe.tokenizer.mask_token) for text in texts]


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert list(ours) == list(theirs) == ["score", "token", "token_str", "sequence"]
        assert {**ours, "score": 0} == {**theirs, "score": 0}
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"top_k": 1},
        {"top_k": 9},
        {"targets": ["Berlin", "서울", "the"]},
        {"targets": "Seoul"},
        {"targets": ["the", "the", "a", "is"], "top_k": 2},
        {"tokenizer_kwargs": {"padding": "max_length", "max_length": 40}},
    ],
    ids=str,
)
def test_every_argument_gives_what_the_incumbent_gives(both: tuple[Any, Any], call: dict[str, Any]) -> None:
    ours, theirs = both
    texts = masked(ours)
    for given_inputs in (*texts, texts, texts[:1], texts[2:3]):
        assert_same(ours(given_inputs, **call), theirs(given_inputs, **call))


def test_settings_of_the_constructor_shape_every_call(folder: Path, pipe: Any) -> None:
    two = pipeline("fill-mask", model=folder, device="cpu", top_k=2, targets=["the", "a", "is"])
    text = masked(pipe)[0]
    assert two(text) == pipe(text, top_k=2, targets=["the", "a", "is"])
    assert len(two(text, top_k=1)) == 1


def test_more_than_the_vocabulary_is_all_of_it(pipe: Any) -> None:
    everything = pipe(masked(pipe)[0], top_k=10**6)
    assert len(everything) == pipe.model.config.vocab_size
    assert sum(one["score"] for one in everything) == pytest.approx(1, abs=1e-4)


def test_targets_that_are_no_tokens_are_told_of(pipe: Any, caplog: pytest.LogCaptureFixture) -> None:
    text = masked(pipe)[0]
    with caplog.at_level(logging.WARNING, "nabi.pipelines"):
        found = pipe(text, targets=["wolfgang", "berlin"])
    assert {one["token_str"] for one in found} == {"wolf", "berlin"}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "The target 'wolfgang' is not in the vocabulary: its first token, 'wolf', stands for it."
    for targets in ([], "", [""], ["\t"]):
        with pytest.raises(ValueError, match="there is no word that the model knows"):
            pipe(text, targets=targets)
    with pytest.raises(TypeError, match="a target is None"):
        pipe(text, targets=["the", None])


@given(
    texts=st.lists(
        st.lists(st.sampled_from([*LONG.split(), "[MASK]"]), max_size=20).map(
            lambda words: " ".join([*words, "[MASK]"])
        ),
        min_size=2,
        max_size=6,
    ),
    batch_size=st.integers(1, 5),
)
@settings(max_examples=20, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    call = {"tokenizer_kwargs": {"truncation": True}, "top_k": 1}
    texts = [
        text for text in texts if "[MASK]" in pipe.tokenizer.decode(pipe.tokenizer(text, truncation=True)["input_ids"])
    ]
    together = pipe([*texts, "the [MASK]", "a [MASK]"], batch_size=batch_size, **call)
    for text, result in zip(texts, together, strict=False):
        alone = pipe(text, **call)
        for one, other in zip(flat(result), flat(alone), strict=True):
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def flat(result: list[Any]) -> list[dict[str, Any]]:
    return [one for part in result for one in (part if isinstance(part, list) else [part])]


def test_generators_give_iterators_and_models_may_be_objects(folder: Path, pipe: Any) -> None:
    texts = masked(pipe)
    results = pipe(iter(texts))
    assert isinstance(results, Iterator)
    assert_same(list(results), pipe(texts))
    model = nabi.AutoModelForMaskedLM.from_pretrained(folder)
    assert_same(pipeline("fill-mask", model=model, device="cpu")(texts), pipe(texts))


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("the city", r"no mask token, \[MASK\], in 'the city': write \[MASK\] where a word is wanted"),
        ("the <mask>", r"write \[MASK\] in place of <mask>"),
        ("", r"no mask token"),
        (None, "None is no text"),
        (["the [MASK]"], "is no text"),
    ],
    ids=repr,
)
def test_a_bad_item_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    if not isinstance(bad, list):
        with pytest.raises((TypeError, ValueError), match=message):
            pipe(bad)
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*{message}"):
        pipe(["the [MASK]", bad])
    results = pipe(["the [MASK]", bad], on_error="return")
    assert isinstance(results[1], Exception) and len(results[0]) == 5


def test_long_texts_are_named_and_truncation_keeps_them(pipe: Any) -> None:
    with pytest.raises(ValueError, match=r"the text has \d+ tokens.* 64 positions"):
        pipe("[MASK] " + LONG * 2)
    assert len(pipe("[MASK] " + LONG * 2, tokenizer_kwargs={"truncation": True})) == 5
    with pytest.raises(ValueError, match="it was cut off: make the text shorter"):
        pipe(LONG * 2 + " [MASK]", tokenizer_kwargs={"truncation": True})


def test_wrong_settings_are_one_clear_error(folder: Path, pipe: Any) -> None:
    for top_k in (0, -1, True, "all"):
        with pytest.raises(ValueError, match="top_k is"):
            pipe("the [MASK]", top_k=top_k)
    with pytest.raises(TypeError, match="no argument 'target': did you mean 'targets'"):
        pipe("the [MASK]", target="a")


def test_a_tokenizer_without_a_mask_and_a_model_without_the_head_are_refused(folder: Path, pipe: Any) -> None:
    tokenizer = nabi.AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    with pytest.raises(ValueError, match="the tokenizer has no mask_token"):
        pipeline("fill-mask", model=folder, tokenizer=tokenizer)
    bare = pipeline("fill-mask", model=nabi.BertModel.from_pretrained(folder), tokenizer=pipe.tokenizer, device="cpu")
    with pytest.raises(TypeError, match=r"BertModel gives no logits .*AutoModelForMaskedLM"):
        bare("the [MASK]")
