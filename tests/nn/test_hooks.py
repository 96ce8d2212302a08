"""Hooks of users: what they see of a layer and of the rooms in it, with padding and without."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

import nabi

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 40}
IDS = torch.tensor([[5, 6, 7, 8]])


def seen_at(model: Any, place: str, **options: Any) -> list[Any]:
    found: list[Any] = []
    model.get_submodule(place).register_forward_hook(lambda *given: found.append(given), **options)
    model(IDS)
    return found


@pytest.mark.parametrize("place", ["encoder.layer.0", "encoder.layer.0.attention", "encoder.layer.0.attention.self"])
def test_a_layer_of_bert_and_its_attention_show_a_tuple(place: str) -> None:
    ((_, (given, *_), output),) = seen_at(nabi.BertModel(nabi.BertConfig(**SIZES)).eval(), place)
    assert isinstance(output, tuple) and output[0].shape == given.shape == (1, 4, 16)


def test_a_layer_of_llama_shows_a_tensor() -> None:
    model = nabi.LlamaModel(nabi.LlamaConfig(**SIZES)).eval()
    ((_, _, output),) = seen_at(model, "layers.0")
    assert isinstance(output, torch.Tensor)
    ((_, _, named, attention),) = seen_at(model, "layers.0.self_attn", with_kwargs=True)
    assert attention[0].shape == (1, 4, 16) and named == {}


def test_a_room_that_nothing_runs_says_so_when_a_hook_is_put_on_it(caplog: pytest.LogCaptureFixture) -> None:
    model = nabi.BertModel(nabi.BertConfig(**SIZES))
    with caplog.at_level(logging.WARNING):
        model.encoder.layer[0].intermediate.register_forward_hook(print)
        assert not caplog.messages
        model.encoder.register_forward_hook(print)
    assert "does not call it" in caplog.text


def test_hooks_see_rows_with_their_padding_in_training_too() -> None:
    model = nabi.BertForSequenceClassification(nabi.BertConfig(**SIZES)).train()
    mask = torch.zeros(3, 64, dtype=torch.long)
    mask[:, :8] = 1
    shapes: list[Any] = []
    model.bert.encoder.layer[0].attention.self.query.register_forward_hook(lambda m, i, o: shapes.append(o.shape))
    model(torch.ones(3, 64, dtype=torch.long), attention_mask=mask)
    assert shapes == [(3, 64, 16)]


def test_what_a_hook_on_a_room_answers_takes_its_place_until_it_is_removed() -> None:
    model = nabi.GPT2Model(nabi.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=40)).eval()
    before = model(IDS).last_hidden_state
    handle = model.h[0].attn.register_forward_hook(lambda m, i, o: (o[0] * 0, *o[1:]))
    assert not torch.allclose(model(IDS).last_hidden_state, before, atol=1e-4)
    handle.remove()
    assert torch.equal(model(IDS).last_hidden_state, before)
