"""head_mask is what transformers 4.57.1 made of it, also where a family has attention of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import nabi

from .record_head_masks import BERT, CASES, IDS, XLNET, outputs, settled

RECORDED = json.loads(Path(__file__).with_name("head_masks.json").read_text(encoding="utf-8"))
TEXT = torch.tensor(IDS)


def model_of(family: str, **config: Any) -> Any:
    return settled(nabi.AutoModel.from_config(nabi.AutoConfig.for_model(family, **config)))


@pytest.mark.parametrize("name", CASES)
def test_masked_heads_give_the_recorded_numbers(name: str) -> None:
    found, expected = outputs(nabi, CASES[name]), RECORDED[name]
    assert found.keys() == expected.keys()
    for key in expected:
        ours, theirs = (torch.tensor(leaves(side[key])) for side in (found, expected))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def leaves(values: Any) -> list[float]:
    return [leaf for each in values for leaf in leaves(each)] if isinstance(values, list) else [values]


def test_a_text_that_is_read_in_blocks_takes_no_head_mask() -> None:
    model = model_of("big_bird", **{**BERT, "block_size": 2, "num_random_blocks": 1, "max_position_embeddings": 32})
    long = torch.arange(18)[None]
    with pytest.raises(ValueError, match=r"a text of 18 tokens is read in blocks.*'original_full'"):
        model(long, head_mask=torch.ones(2))
    assert model(long).last_hidden_state.isfinite().all()


@pytest.mark.parametrize("name", ["decoder_head_mask", "cross_attn_head_mask"])
def test_a_mask_for_an_attention_that_the_model_has_not_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no attention of BertModel takes {name} in this call"):
        model_of("bert", **BERT)(TEXT, head_mask=torch.ones(2), **{name: torch.ones(2)})


@pytest.mark.parametrize("family", ["bert", "xlnet", "longformer"])
def test_a_mask_takes_the_precision_of_the_model(family: str) -> None:
    model = model_of(family, **(XLNET if family == "xlnet" else BERT)).to(torch.bfloat16)
    masked = model(TEXT, head_mask=torch.tensor([1.0, 0.0])).last_hidden_state
    assert masked.dtype == torch.bfloat16 and not torch.equal(masked, model(TEXT).last_hidden_state)


def test_pruned_heads_of_tokens_that_see_all_are_silent_ones(tmp_path: Path) -> None:
    model = model_of("longformer", **BERT, attention_window=4)
    everywhere = torch.tensor([[1, 0, 0, 0, 1, 0]] * 2)
    mask = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    masked = model(TEXT, global_attention_mask=everywhere, head_mask=mask).last_hidden_state
    assert not torch.allclose(masked, model(TEXT, global_attention_mask=everywhere).last_hidden_state, atol=1e-3)
    model.prune_heads({0: [1]})
    model.save_pretrained(tmp_path)
    for each in (model, nabi.AutoModel.from_pretrained(tmp_path)):
        pruned = each(TEXT, global_attention_mask=everywhere).last_hidden_state
        torch.testing.assert_close(pruned, masked, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("family", "sizes"), [("xlnet", XLNET), ("big_bird", BERT)])
def test_families_whose_heads_cannot_go_keep_them(family: str, sizes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="prune_heads: the "):
        model_of(family, **sizes).prune_heads({0: [1]})
