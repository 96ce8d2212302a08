"""Sentence similarity: cosines as sentence-transformers' files say, on a real checkpoint and on tiny ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

import nabi
from nabi import pipeline
from tests.parity.test_real_checkpoint import folder as real_folder

from .record_text import LONG, TEXTS, build

ITEM = {"source_sentence": TEXTS[0], "sentences": TEXTS[1:3]}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "Model", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("sentence-similarity", model=folder, device="cpu")


def cosines(folder: Path, pool: Callable[[Tensor], Tensor], texts: list[str]) -> Tensor:
    """By hand, with the incumbent's model, text by text: (texts, texts)"""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = nabi.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        vectors = torch.stack(
            [pool(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]) for text in texts]
        )
    vectors = torch.nn.functional.normalize(vectors, dim=-1)
    return vectors @ vectors.T


def with_modules(
    folder: Path, place: Path, pooling: dict[str, Any], *more: tuple[str, str], limit: int | None = None
) -> Path:
    shutil.copytree(folder, place, dirs_exist_ok=True)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), *more]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    (place / "modules.json").write_text(json.dumps(modules))
    (place / "1_Pooling").mkdir(exist_ok=True)
    (place / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    if limit is not None:
        (place / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit}))
    return place


# ---------------------------------------------------------------- a real checkpoint


def test_a_real_checkpoint_tells_like_sentences_from_unlike_ones() -> None:
    pipe = pipeline("sentence-similarity", model=real_folder(), device="cpu")
    assert pipe.recipe.poolings == ["mean_tokens"] and pipe.recipe.normalize and pipe.recipe.max_seq_length == 256
    texts = ["A man is eating food.", "Someone eats a meal.", "The stock market fell today."]
    near, far = pipe({"source_sentence": texts[0], "sentences": texts[1:]})
    assert near > 0.6 > 0.2 > far
    by_hand = cosines(real_folder(), lambda states: states.mean(0), texts)
    assert [near, far] == pytest.approx(by_hand[0, 1:].tolist(), abs=1e-4)
    assert pipe(texts[0], [texts[0]]) == pytest.approx([1.0], abs=1e-5)
    assert len(pipe("word " * 1000, texts)) == 3


# ---------------------------------------------------------------- forms of the input


def test_without_a_recipe_it_is_the_mean_of_the_real_tokens(folder: Path, pipe: Any) -> None:
    by_hand = cosines(folder, lambda states: states.mean(0), TEXTS[:3])
    assert pipe(ITEM) == pytest.approx(by_hand[0, 1:].tolist(), abs=1e-5)


def test_one_with_many_and_many_with_many(pipe: Any) -> None:
    expected = pipe(ITEM)
    assert pipe(TEXTS[0], TEXTS[1:3]) == pytest.approx(expected, abs=1e-6)
    rows = pipe(TEXTS[:2], TEXTS[1:3])
    assert rows[0] == pytest.approx(expected, abs=1e-6)
    assert rows[1][0] == pytest.approx(1, abs=1e-5)
    assert len(pipe([TEXTS[0]], TEXTS[1:3])) == 1
    assert pipe([ITEM, ITEM]) == [pytest.approx(expected, abs=1e-6)] * 2
    results = pipe(iter([ITEM]))
    assert isinstance(results, Iterator)
    assert next(results) == pytest.approx(expected, abs=1e-6)


@given(
    texts=st.lists(st.lists(st.sampled_from(LONG.split()), max_size=40).map(" ".join), min_size=1, max_size=6),
    batch_size=st.integers(1, 5),
)
@settings(max_examples=20, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    (together,) = pipe([{"source_sentence": TEXTS[0], "sentences": texts}], batch_size=batch_size)
    assert together == pytest.approx([pipe(TEXTS[0], [text])[0] for text in texts], abs=1e-5)


# ---------------------------------------------------------------- sentence-transformers' files

WEIGHTS = torch.arange(1, 65)[:, None].float()
POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "cls_token": lambda x: x[0],
    "max_tokens": lambda x: x.max(0).values,
    "mean_tokens": lambda x: x.mean(0),
    "mean_sqrt_len_tokens": lambda x: x.sum(0) / len(x) ** 0.5,
    "weightedmean_tokens": lambda x: (x * WEIGHTS[: len(x)]).sum(0) / WEIGHTS[: len(x)].sum(),
    "lasttoken": lambda x: x[-1],
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("side", ["right", "left"])
def test_the_pooling_of_the_file_is_obeyed(tmp_path: Path, name: str, newer: bool, side: str) -> None:
    short = name.removesuffix("_tokens").removesuffix("_token") if name != "mean_sqrt_len_tokens" else name
    config = {"pooling_mode": short} if newer else {f"pooling_mode_{each}": each == name for each in POOLS}
    bare = build(transformers, "roberta", "Model", tmp_path / "bare")  # counts positions from the first real token on
    place = with_modules(bare, tmp_path / "made", {"word_embedding_dimension": 16, **config})
    pipe = pipeline("sentence-similarity", model=place, device="cpu")
    pipe.tokenizer.padding_side = side
    expected = cosines(bare, POOLS[name], TEXTS[:3])[0, 1:].tolist()
    assert pipe(ITEM) == pytest.approx(expected, abs=1e-5)


def test_several_poolings_are_joined(folder: Path, tmp_path: Path) -> None:
    place = with_modules(folder, tmp_path, {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True})
    expected = cosines(folder, lambda x: torch.cat([x[0], x.mean(0)]), TEXTS[:3])[0, 1:].tolist()
    assert pipeline("sentence-similarity", model=place, device="cpu")(ITEM) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("safe", [True, False])
def test_a_layer_after_pooling_is_run(folder: Path, tmp_path: Path, safe: bool) -> None:
    more = (("2_Dense", "Dense"), ("3_Normalize", "Normalize"))
    place = with_modules(folder, tmp_path / "made", {"pooling_mode_cls_token": True}, *more, limit=20)
    (place / "2_Dense").mkdir()
    settings_ = {"in_features": 16, "out_features": 4, "bias": True}
    settings_ |= {"activation_function": "torch.nn.modules.activation.Tanh"}
    (place / "2_Dense" / "config.json").write_text(json.dumps(settings_))
    weight, bias = torch.randn(4, 16), torch.randn(4)
    weights = {"linear.weight": weight, "linear.bias": bias}
    if safe:
        save_file(weights, place / "2_Dense" / "model.safetensors")
    else:
        torch.save(weights, place / "2_Dense" / "pytorch_model.bin")
    pipe = pipeline("sentence-similarity", model=place, device="cpu")
    expected = cosines(folder, lambda x: torch.tanh(weight @ x[0] + bias), TEXTS[:3])[0, 1:].tolist()
    assert pipe(ITEM) == pytest.approx(expected, abs=1e-5)

    pipe.save_pretrained(tmp_path / "again")
    again = pipeline("sentence-similarity", model=tmp_path / "again", device="cpu")
    assert again(ITEM) == pytest.approx(expected, abs=1e-5)
    assert again.recipe.max_seq_length == 20 and again.recipe.normalize
    first = next(again.preprocess({"source_sentence": LONG, "sentences": ["a"]}))
    assert first["input_ids"].shape[1] == 20


def test_a_model_object_from_a_folder_has_its_recipe(folder: Path, tmp_path: Path) -> None:
    place = with_modules(folder, tmp_path, {"pooling_mode_cls_token": True})
    model = nabi.AutoModel.from_pretrained(place)
    named = pipeline("sentence-similarity", model=place, device="cpu")
    assert pipeline("sentence-similarity", model=model, device="cpu")(ITEM) == named(ITEM)


def test_what_is_not_known_in_the_files_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    unknown = with_modules(folder, tmp_path / "a", {"pooling_mode_mean_tokens": True}, ("2_LSTM", "LSTM"))
    with pytest.raises(ValueError, match=r"has the step sentence_transformers\.models\.LSTM, which nabi does not know"):
        pipeline("sentence-similarity", model=unknown)
    pooling = with_modules(folder, tmp_path / "b", {"pooling_mode_median_tokens": True})
    with pytest.raises(ValueError, match="asks for the pooling median_tokens; known are cls_token"):
        pipeline("sentence-similarity", model=pooling)
    nothing = with_modules(folder, tmp_path / "c", {"pooling_mode_mean_tokens": False})
    with pytest.raises(ValueError, match="asks for the pooling of no kind"):
        pipeline("sentence-similarity", model=nothing)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("a text", "an item is .*but this is 'a text'"),
        (None, "but this is None"),
        ({"source_sentence": "a"}, r"but this is a mapping with \['source_sentence'\]"),
        (
            {"source_sentence": "a", "sentences": "b"},
            r"'sentences' is the string 'b'; expected a list of texts: \['b'\]",
        ),
        ({"source_sentence": "a", "sentences": []}, "'sentences' is empty"),
        ({"source_sentence": "a", "sentences": ["b", None]}, "text 1 of 'sentences' is None"),
        ({"source_sentence": 3, "sentences": ["b"]}, "'source_sentence' is 3"),
    ],
    ids=repr,
)
def test_a_bad_item_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(bad)
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*({message})"):
        pipe([ITEM, bad])


def test_an_unknown_setting_and_a_model_without_hidden_states_are_named(folder: Path, pipe: Any) -> None:
    with pytest.raises(TypeError, match="no argument 'sentence': did you mean 'sentences'"):
        pipe("a", sentence=["b"])
    model = nabi.BertForMaskedLM.from_pretrained(folder)
    with pytest.raises(TypeError, match="BertForMaskedLM gives no last_hidden_state"):
        pipeline("sentence-similarity", model=model, tokenizer=pipe.tokenizer, device="cpu")(ITEM)
