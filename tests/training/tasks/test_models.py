"""A checkpoint becomes a model for these labels; what is new in it is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nabi import GPT2Config, GPT2LMHeadModel
from nabi.auto import AutoConfig, AutoModelForSequenceClassification
from nabi.data.rows import Rows
from nabi.embedded import SENTIMENT
from nabi.training.adapters import with_adapters
from nabi.training.tasks.fill_mask import FillMask
from nabi.training.tasks.models import freeze_body, lora_config, make_model
from nabi.training.tasks.task import TaskSettings
from nabi.training.tasks.text_classification import TextClassification
from nabi.training.tasks.text_generation import TextGeneration


@pytest.fixture(scope="module")
def checkpoint() -> Any:
    return AutoModelForSequenceClassification.from_pretrained(SENTIMENT).state_dict()


def task_with(*labels: str) -> TextClassification:
    task = TextClassification(TaskSettings())
    task.learn(Rows([{"text": "a", "label": label} for label in labels]), AutoConfig.from_pretrained(SENTIMENT))
    return task


@pytest.mark.parametrize(
    ("labels", "head_is_kept"),
    [(("0", "1"), True), (("positive", "negative"), True), (("긍정", "부정"), False), (("a", "b", "c"), False)],
    ids=["its numbers", "its names", "other names", "another count"],
)
def test_the_head_is_kept_only_where_it_means_the_same(
    labels: tuple[str, ...], head_is_kept: bool, checkpoint: Any
) -> None:
    made = make_model(task_with(*labels), str(SENTIMENT), from_scratch=False)
    state = made.model.state_dict()
    body = [name for name in state if name.startswith("bert.")]
    assert all(torch.equal(state[name], checkpoint[name]) for name in body)
    assert torch.equal(state["classifier.weight"], checkpoint["classifier.weight"]) == head_is_kept
    assert (not made.reshaped and not made.other_labels) == head_is_kept
    assert len(made.model.config.id2label) == len(labels)


def test_from_scratch_nothing_of_the_checkpoint_is_left(checkpoint: Any) -> None:
    state = make_model(task_with("0", "1"), str(SENTIMENT), from_scratch=True).model.state_dict()
    matrices = [name for name, weight in state.items() if weight.dim() == 2]
    assert matrices and not any(torch.equal(state[name], checkpoint[name]) for name in matrices)


def test_a_frozen_body_leaves_the_head_to_learn() -> None:
    task = task_with("0", "1")
    model = make_model(task, str(SENTIMENT), from_scratch=False).model
    freeze_body(model, task)
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert learning == {"classifier.weight", "classifier.bias"}
    with pytest.raises(ValueError, match="fill-mask has no head of its own"):
        freeze_body(model, FillMask(TaskSettings()))


def test_adapters_are_on_the_layers_of_the_body_alone() -> None:
    task = task_with("0", "1")
    model = make_model(task, str(SENTIMENT), from_scratch=False).model
    config = lora_config(model, task, rank=4, alpha=8)
    assert config.modules_to_save == ["classifier"] and (config.r, config.lora_alpha) == (4, 8)
    assert all(name.startswith("bert.") for name in config.target_modules)
    assert "bert.encoder.layer.1.attention.self.value" in config.target_modules


def test_adapters_are_on_the_layers_of_gpt2_which_are_of_its_own_class() -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_embd=8, n_layer=2, n_head=2, n_positions=8))
    config = lora_config(model, TextGeneration(TaskSettings()), rank=2, alpha=4)
    layers = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    assert set(config.target_modules) == {f"transformer.h.{i}.{layer}" for i in range(2) for layer in layers}
    adapted = with_adapters(model, config)
    learning = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    assert len(learning) == 2 * len(config.target_modules) and all(".lora_" in name for name in learning)
