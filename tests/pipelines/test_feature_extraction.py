"""Feature extraction beside the incumbent's, on tiny random models."""

from __future__ import annotations

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

from .record_text import LONG, MODELS, TEXTS, build


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=MODELS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = build(transformers, request.param, "Model", tmp_path_factory.mktemp("model"))
    theirs = transformers.pipeline("feature-extraction", model=str(folder), device="cpu")
    return pipeline("feature-extraction", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "Model", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("feature-extraction", model=folder, device="cpu")


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal shapes and kinds, numbers to 1e-4."""
    assert type(ours) is type(theirs)
    if isinstance(theirs, list) and isinstance(theirs[0], (list, torch.Tensor)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert torch.tensor(ours).shape == torch.tensor(theirs).shape
        assert torch.allclose(torch.as_tensor(ours), torch.as_tensor(theirs), atol=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"return_tensors": True},
        {"return_tensors": False},
        {"truncation": True},
        {"truncation": True, "padding": True},  # as KeyBERT asks
        {"tokenize_kwargs": {"truncation": True, "max_length": 5}},
        {"tokenize_kwargs": {"padding": "max_length", "max_length": 40, "truncation": True}},
        {"tokenize_kwargs": {"add_special_tokens": True}, "return_tensors": True},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:To copy construct")
def test_every_argument_gives_what_the_incumbent_gives(both: tuple[Any, Any], call: dict[str, Any]) -> None:
    ours, theirs = both
    for given_inputs in (*TEXTS, TEXTS, TEXTS[:1]):
        assert_same(ours(given_inputs, **call), theirs(given_inputs, **call))


def test_one_text_gives_one_vector_for_each_token(pipe: Any) -> None:
    features = pipe(TEXTS[0], return_tensors=True)
    assert features.shape == (1, len(pipe.tokenizer(TEXTS[0])["input_ids"]), pipe.model.config.hidden_size)
    assert [one.shape[1] for one in pipe(TEXTS, return_tensors=True, batch_size=4)] == [
        len(ids) for ids in pipe.tokenizer(TEXTS)["input_ids"]
    ]


def test_settings_of_the_constructor_shape_every_call(folder: Path, pipe: Any) -> None:
    cut = pipeline("feature-extraction", model=folder, device="cpu", truncation=True, return_tensors=True)
    assert cut(LONG * 2).shape[1] == 64
    assert isinstance(cut(TEXTS[0], return_tensors=False), list)


@given(
    texts=st.lists(st.lists(st.sampled_from(LONG.split()), max_size=30).map(" ".join), min_size=1, max_size=6),
    batch_size=st.integers(1, 5),
)
@settings(max_examples=20, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    call = {"truncation": True, "return_tensors": True}
    for text, result in zip(texts, pipe(texts, batch_size=batch_size, **call), strict=True):
        alone = pipe(text, **call)
        assert result.shape == alone.shape
        assert torch.allclose(result, alone, atol=1e-5)


def test_left_padding_is_left_out(tmp_path: Path) -> None:
    folder = build(transformers, "bert", "Model", tmp_path)
    left = pipeline("feature-extraction", model=folder, device="cpu", return_tensors=True)
    left.tokenizer.padding_side = "left"
    for text, together in zip(TEXTS, left(TEXTS, batch_size=4), strict=True):
        assert torch.allclose(together, left(text), atol=1e-5)


def test_sources_and_model_objects_work(folder: Path, pipe: Any) -> None:
    results = pipe(iter(TEXTS))
    assert isinstance(results, Iterator)
    assert [len(one[0]) for one in results] == [len(one[0]) for one in pipe(TEXTS)]
    model = nabi.AutoModel.from_pretrained(folder)
    assert pipeline("feature-extraction", model=model, device="cpu")(TEXTS[0]) == pipe(TEXTS[0])
    assert pipeline(model=folder, device="cpu").task == "feature-extraction"
    half = pipeline("feature-extraction", model=folder, device="cpu", dtype=torch.bfloat16)
    assert isinstance(half(TEXTS[0])[0][0][0], float)
    assert pipe([]) == []


def test_bad_items_and_settings_are_one_clear_error(pipe: Any) -> None:
    for bad, message in ((None, "None is no text"), (3, "3 of the type int"), (["a"], "is no text")):
        with pytest.raises(TypeError, match=f"input 1: .*{message}"):
            pipe(["the city", bad])
    with pytest.raises(ValueError, match=r"the text has \d+ tokens.*truncation=True"):
        pipe(LONG * 2)
    with pytest.raises(ValueError, match="say the same thing twice"):
        pipe("the city", truncation=True, tokenize_kwargs={"truncation": False})
    with pytest.raises(TypeError, match="no argument 'return_tensor': did you mean 'return_tensors'"):
        pipe("the city", return_tensor=True)
    with pytest.raises(ValueError, match="finds no token in ''"):
        pipe("", tokenize_kwargs={"add_special_tokens": False})
