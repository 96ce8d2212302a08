"""ModelOutput: one thing that reads by attribute, by key and by index."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, fields

import pytest
import torch
from torch import Tensor

from nabi import ModelOutput
from nabi.outputs import (
    CausalLMOutputWithPast,
    MoeCausalLMOutputWithPast,
    MoeModelOutputWithPast,
    SequenceClassifierOutput,
)

LOGITS, LOSS = torch.tensor([[1.0, 2.0]]), torch.tensor(0.5)


@pytest.fixture
def output() -> SequenceClassifierOutput:
    return SequenceClassifierOutput(logits=LOGITS, loss=LOSS, attentions=None)


def test_a_field_reads_by_attribute_key_and_index(output: SequenceClassifierOutput) -> None:
    assert output.logits is output["logits"] is output[1] is LOGITS
    assert output.loss is output[0] is LOSS
    assert output[:1] == (LOSS,) and output[-1] is LOGITS


def test_fields_stand_in_the_order_of_the_class_however_they_were_given(output: SequenceClassifierOutput) -> None:
    assert list(output) == ["loss", "logits"]
    assert output.to_tuple() == (LOSS, LOGITS) == tuple(output.values())
    assert SequenceClassifierOutput({"logits": LOGITS, "loss": LOSS}).to_tuple() == output.to_tuple()


def test_a_base_class_gives_its_fields_first() -> None:
    assert MoeModelOutputWithPast.field_names() == [
        "last_hidden_state",
        "past_key_values",
        "hidden_states",
        "attentions",
        "router_logits",
    ]


def test_a_field_that_was_not_computed_is_none_by_attribute_and_absent_else(output: SequenceClassifierOutput) -> None:
    assert output.attentions is None and output.hidden_states is None
    assert "attentions" not in output and len(output) == 2
    with pytest.raises(KeyError):
        output["attentions"]
    with pytest.raises(IndexError):
        output[2]


def test_it_unpacks_by_its_values_as_a_tuple_and_by_its_names_as_keywords(output: SequenceClassifierOutput) -> None:
    loss, logits = output.to_tuple()
    assert loss is LOSS and logits is LOGITS
    assert {**output} == {"loss": LOSS, "logits": LOGITS}
    assert next(iter(output.items())) == ("loss", LOSS)


def test_setting_a_field_by_attribute_or_key_is_seen_by_both(output: SequenceClassifierOutput) -> None:
    output.loss = LOGITS
    assert output["loss"] is LOGITS
    output["loss"] = LOSS
    assert output.loss is LOSS
    del output["loss"]
    assert output.loss is None and output[0] is LOGITS


def test_an_unknown_field_is_refused_by_name(output: SequenceClassifierOutput) -> None:
    with pytest.raises(AttributeError, match="'start_logits'"):
        _ = output.start_logits
    with pytest.raises(AttributeError, match="'losses'"):
        output.losses = LOSS
    with pytest.raises(TypeError, match="no field start_logits; it has loss, logits"):
        SequenceClassifierOutput(start_logits=LOGITS)
    assert not hasattr(output, "start_logits") and getattr(output, "start_logits", 7) == 7


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
def test_pickle_and_copies_keep_class_and_fields(output: SequenceClassifierOutput, copied: object) -> None:
    again = copied(output)  # type: ignore[operator]
    assert type(again) is SequenceClassifierOutput and list(again) == ["loss", "logits"]
    assert torch.equal(again.logits, LOGITS) and again.attentions is None


def test_a_family_adds_a_class_by_annotations_alone() -> None:
    class TwoScores(ModelOutput):
        first: Tensor
        second: Tensor | None

    assert TwoScores.field_names() == ["first", "second"] and TwoScores(first=LOSS).to_tuple() == (LOSS,)
    assert ModelOutput.field_names() == []


def test_a_compiled_function_makes_and_reads_one_without_a_break_in_the_graph() -> None:
    @torch.compile(fullgraph=True, backend="eager")
    def double(out: CausalLMOutputWithPast) -> CausalLMOutputWithPast:
        return CausalLMOutputWithPast(logits=out.logits + out["logits"] + 0 * out[0], loss=out.loss)

    made = double(CausalLMOutputWithPast(logits=LOGITS))
    assert type(made) is CausalLMOutputWithPast and torch.equal(made.logits, 2 * LOGITS)
    assert made.loss is None and list(made) == ["logits"]


def test_a_field_set_later_has_its_place_among_the_indices() -> None:
    out = MoeCausalLMOutputWithPast(logits=torch.ones(1), past_key_values=())
    out.aux_loss = torch.zeros(1)
    assert out[0] is out.aux_loss and out.to_tuple()[1] is out.logits


@dataclass
class Own(ModelOutput):
    loss: Tensor | None = None
    logits: Tensor | None = None


def test_an_output_is_a_dataclass_and_a_users_own_copies_and_pickles(output: SequenceClassifierOutput) -> None:
    assert [field.name for field in fields(output)] == SequenceClassifierOutput.field_names()
    own = Own(logits=LOGITS)
    assert own.to_tuple() == (LOGITS,) and own.loss is None
    for again in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        assert type(again) is Own and list(again) == ["logits"] and torch.equal(again.logits, LOGITS)
