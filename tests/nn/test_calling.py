"""What a model takes when it is called, by itself or by its forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import nabi

from .tiny import ids, make


@pytest.mark.parametrize(("case", "head"), [("bert", "Model"), ("gpt2", "LMHeadModel"), ("bert", "ForMaskedLM")])
def test_forward_takes_return_dict_as_a_call_does(case: str, head: str) -> None:
    model = make(case, head)
    with torch.no_grad():
        whole = model(ids())
        assert torch.equal(model.forward(ids(), return_dict=True)[0], whole[0])
        assert isinstance(model.forward(ids(), return_dict=False), tuple)
        assert torch.equal(model.forward(ids(), return_dict=False)[0], whole[0])


def test_a_forward_of_ones_own_gets_return_dict_itself() -> None:
    class Own(nabi.BertModel):
        def forward(self, input_ids: Any, return_dict: Any = "not given") -> Any:
            return return_dict

    assert Own(make("bert").config).forward(ids(), return_dict=False) is False


@pytest.mark.parametrize(("case", "head"), [("t5", "ForConditionalGeneration"), ("bart", "Model")])
def test_a_target_that_is_none_is_made_as_one_that_was_left_out(case: str, head: str) -> None:
    model = make(case, head)
    given = {} if head == "Model" else {"labels": ids()}
    with torch.no_grad():
        left_out = model(ids(), **given)
        none = model(ids(), **given, decoder_input_ids=None, decoder_inputs_embeds=None)
    assert torch.equal(left_out[0], none[0])


def test_a_loaded_model_knows_where_it_came_from(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path)
    model = nabi.AutoModel.from_pretrained(tmp_path, max_memory=None, offload_folder="off")
    assert vars(model)["name_or_path"] == model.config.name_or_path == str(tmp_path)
    with pytest.raises(ValueError, match=r"from_pretrained\(max_memory=…\) is not supported: .*one device"):
        nabi.AutoModel.from_pretrained(tmp_path, max_memory={0: "1GB"})


def test_with_more_in_the_cache_than_ids_the_last_id_is_fed() -> None:
    """Learned prompts stand before the ids: the cache knows them, the ids do not."""
    model = make("gpt2", "LMHeadModel")
    with torch.no_grad():
        cache = model(inputs_embeds=torch.randn(2, 20, model.config.hidden_size), use_cache=True).past_key_values
    made = model.prepare_inputs_for_generation(ids(), past_key_values=cache)
    assert torch.equal(made["input_ids"], ids()[:, -1:])
