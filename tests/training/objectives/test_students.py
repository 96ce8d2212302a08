"""A student is its teacher with fewer layers, to the last weight."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import nabi
from nabi.training.objectives.students import student_of

from .small_models import make, moved

IDS = torch.tensor([[5, 6, 7, 8]])


def without(teacher: Any, kept: list[int]) -> Any:
    """The teacher's own logits with only these layers run: what the student must compute."""
    blocks = teacher.base_model.blocks
    for number, block in enumerate(blocks):
        if number not in kept:
            block.forward = lambda x, context: x
    try:
        with torch.no_grad():
            return teacher(IDS, use_cache=False).logits if teacher.config.model_type == "gpt2" else teacher(IDS).logits
    finally:
        for block in blocks:
            block.__dict__.pop("forward", None)


@pytest.mark.parametrize(
    "name", ["BertForMaskedLM", "BertForSequenceClassification", "GPT2LMHeadModel", "ElectraForMaskedLM"]
)
@pytest.mark.parametrize(
    ("layers", "kept"), [(None, [0, 2]), (3, [0, 1, 2]), (1, [0]), ([3, 1], [3, 1]), ([1, 3], [1, 3])], ids=str
)
def test_a_student_computes_what_its_layers_compute_in_the_teacher(name: str, layers: Any, kept: list[int]) -> None:
    teacher = make(name)
    student = student_of(teacher, layers)
    assert type(student) is type(teacher) and student.config.num_hidden_layers == len(kept) and not student.training
    assert teacher.config.num_hidden_layers == 4
    with torch.no_grad():
        logits = student(IDS).logits
    if kept == sorted(kept):
        torch.testing.assert_close(logits, without(teacher, kept))
    weights = teacher.state_dict()
    for index, number in enumerate(kept):
        for key, value in student.base_model.blocks[index].state_dict().items():
            assert value.equal(teacher.base_model.blocks[number].state_dict()[key])
    others = {key for key in student.state_dict() if not any(part.isdigit() for part in key.split("."))}
    assert all(student.state_dict()[key].equal(weights[key]) for key in others) and len(others) > 3


def test_a_student_is_a_copy_of_its_own() -> None:
    teacher = make("BertForMaskedLM").train()
    student = student_of(teacher.to(torch.bfloat16))
    assert student.training and student.dtype is torch.bfloat16
    before = teacher.get_input_embeddings().weight.clone()
    with torch.no_grad():
        student.get_input_embeddings().weight.zero_()
    assert teacher.get_input_embeddings().weight.equal(before)
    assert student.get_output_embeddings().weight is student.get_input_embeddings().weight


def test_layer_types_go_with_their_layers() -> None:
    config = nabi.Qwen2Config(
        vocab_size=60, hidden_size=16, intermediate_size=32, num_hidden_layers=4, num_attention_heads=2,
        num_key_value_heads=2, use_sliding_window=True, sliding_window=2, max_window_layers=2,
    )  # fmt: skip
    teacher = moved(nabi.Qwen2ForCausalLM(config))
    student = student_of(teacher, [0, 3])
    assert student.config.layer_types == ["full_attention", "sliding_attention"]
    assert [block.window for block in student.base_model.blocks] == [None, 2]


@pytest.mark.parametrize(
    ("layers", "says"), [(0, "give 1 to 4"), (5, "give 1 to 4"), ([], "at least one"), ([0, 4], "from 0 to 3")], ids=str
)
def test_layers_that_are_not_there_are_refused(layers: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        student_of(make("BertForMaskedLM"), layers)


def test_models_that_are_no_plain_stack_are_refused() -> None:
    small = dict(vocab_size=60, d_model=8, d_kv=4, d_ff=8, num_layers=2, num_heads=2)
    with pytest.raises(ValueError, match="no plain stack"):
        student_of(nabi.T5ForConditionalGeneration(nabi.T5Config(**small)))
    scaled = make("GPT2LMHeadModel", scale_attn_by_inverse_layer_idx=True)
    with pytest.raises(ValueError, match=r"layer 2 of GPT2LMHeadModel .* cannot be moved"):
        student_of(scaled)
