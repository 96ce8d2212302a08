"""The searches by their own names give what generate gives with the settings that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import nabi
from nabi import (
    LogitsProcessorList,
    MaxLengthCriteria,
    MinLengthLogitsProcessor,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
)

IDS = torch.tensor([[1, 2, 3]])
SOURCE = torch.tensor([[5, 6, 7, 1], [8, 9, 4, 1]])


@pytest.fixture(scope="module")
def gpt2() -> Any:
    torch.manual_seed(0)
    config = nabi.GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4, n_positions=64, eos_token_id=49)
    return nabi.GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def t5() -> Any:
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 4}
    return nabi.T5ForConditionalGeneration(nabi.T5Config(**sizes, decoder_start_token_id=0, pad_token_id=0)).eval()


def until(length: int) -> StoppingCriteriaList:
    return StoppingCriteriaList([MaxLengthCriteria(max_length=length)])


def test_greedy_search_and_sample(gpt2: Any) -> None:
    least = LogitsProcessorList([MinLengthLogitsProcessor(10, eos_token_id=49)])
    found = gpt2.greedy_search(IDS, logits_processor=least, stopping_criteria=until(12), pad_token_id=49)
    assert found.tolist() == gpt2.generate(IDS, max_length=12, min_length=10, pad_token_id=49).tolist()
    warper = LogitsProcessorList([TopKLogitsWarper(5), TemperatureLogitsWarper(0.7)])
    torch.manual_seed(1)
    found = gpt2.sample(IDS, logits_processor=least, logits_warper=warper, max_length=12)
    torch.manual_seed(1)
    settings = {"do_sample": True, "top_k": 5, "temperature": 0.7, "min_length": 10}
    assert found.tolist() == gpt2.generate(IDS, max_length=12, pad_token_id=49, **settings).tolist()
    found = gpt2.contrastive_search(IDS, top_k=4, penalty_alpha=0.6, max_length=9)
    assert found.tolist() == gpt2.generate(IDS, top_k=4, penalty_alpha=0.6, max_length=9).tolist()


def test_beam_search_takes_each_text_as_often_as_there_are_beams(gpt2: Any, t5: Any) -> None:
    found = gpt2.beam_search(
        IDS.repeat(3, 1), nabi.BeamSearchScorer(batch_size=1, num_beams=3, device="cpu"), stopping_criteria=until(9)
    )
    assert found.tolist() == gpt2.generate(IDS, num_beams=3, max_length=9).tolist()
    read = t5.get_encoder()(SOURCE.repeat_interleave(3, dim=0), return_dict=True)
    scorer = nabi.BeamSearchScorer(2, 3, length_penalty=0.5, num_beam_hyps_to_keep=2)
    found = t5.beam_search(torch.zeros(6, 1).long(), scorer, encoder_outputs=read, max_length=8)
    settings = {"num_beams": 3, "length_penalty": 0.5, "num_return_sequences": 2}
    assert found.tolist() == t5.generate(SOURCE, max_length=8, **settings).tolist()


def test_what_is_asked_for_beside_the_text_is_given(t5: Any) -> None:
    read = t5.get_encoder()(SOURCE)
    found = t5.greedy_search(
        torch.zeros(2, 1).long(), encoder_outputs=read, max_length=5, output_scores=True, return_dict_in_generate=True
    )
    assert len(found.scores) == found.sequences.shape[1] - 1


def test_groups_of_beams_are_for_generate() -> None:
    with pytest.raises(ValueError, match=r"use model\.generate\(num_beams=6, num_beam_groups=3"):
        nabi.BeamSearchScorer(1, 6, num_beam_groups=3)
