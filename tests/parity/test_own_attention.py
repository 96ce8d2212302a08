"""What the encoders with attention of their own do beside what every model does."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers.models.big_bird.modeling_big_bird import BigBirdBlockSparseAttention

import nabi
from nabi.models.big_bird import planned_blocks, random_blocks, tell_of_short_texts

from .cases import CASES
from .cases.inputs import classes
from .pairs import pair

CASE = {case.name: case for case in CASES}


def both(name: str, head: str, **inputs: Any) -> tuple[Any, Any]:
    """The incumbent's output and nabi's."""
    oracle, model, _ = pair(CASE[name], head)
    with torch.no_grad():
        return oracle(**inputs), model(**inputs)


def same(ours: torch.Tensor, theirs: torch.Tensor, atol: float = 1e-4) -> None:
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)


# --- XLNet ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xlnet", "xlnet-permuted", "xlnet-one-way"])
def test_a_later_part_of_a_text_remembers_the_earlier_ones(name: str) -> None:
    ids, kinds = classes(60, 2, 9), classes(2, 2, 9)
    oracle, model, _ = pair(CASE[name], "Model")
    mems: Any = [None, None]
    for part in (slice(0, 4), slice(4, 6), slice(6, 9)):
        given = {"input_ids": ids[:, part], "token_type_ids": kinds[:, part]}
        with torch.no_grad():
            theirs, ours, forgetful = oracle(**given, mems=mems[0]), model(**given, mems=mems[1]), model(**given)
        same(ours[0], theirs[0])
        if mems[0] is not None:
            assert (forgetful[0] - ours[0]).abs().max() > 1e-3
        mems = [theirs.mems, ours.mems]
        for one, other in zip(*mems, strict=True):
            same(other, one)


def test_an_order_of_tokens_works_on_top_of_a_memory() -> None:
    ids = classes(60, 2, 9)
    mems = both("xlnet", "LMHeadModel", input_ids=ids[:, :4])[1].mems
    order = torch.zeros(2, 5, 5)
    order[:, :, -1] = 1
    target = torch.zeros(2, 1, 5)
    target[:, 0, -1] = 1
    theirs, ours = both(
        "xlnet", "LMHeadModel", input_ids=ids[:, 4:], mems=mems, perm_mask=order, target_mapping=target, use_mems=True
    )
    assert ours.logits.shape == (2, 1, 60)
    same(ours.logits, theirs.logits)


def test_padding_may_be_said_either_way_but_not_both() -> None:
    ids, mask = classes(60, 2, 5), torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])
    model = pair(CASE["xlnet"], "Model")[1]
    one, other = model(ids, attention_mask=mask), model(ids, input_mask=1 - mask)
    same(one[0], other[0], atol=0)
    with pytest.raises(ValueError, match=r"pass either attention_mask .* or input_mask .*: both were given"):
        model(ids, attention_mask=mask, input_mask=1 - mask)


def test_backwards_data_wants_an_even_batch() -> None:
    model = pair(CASE["xlnet-one-way-same-length"], "Model")[1]
    with pytest.raises(ValueError, match=r"the batch has 3 texts, but with bi_data .* an even number"):
        model(classes(60, 3, 5))


# --- XLM --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xlm", "xlm-causal"])
def test_without_a_mask_padding_is_known_by_its_id_or_by_the_lengths(name: str) -> None:
    ids = classes(55, 3, 9) + 5
    ids[1, 6:] = 2
    for extras in ({}, {"lengths": torch.tensor([9, 5, 3])}, {"token_type_ids": classes(60, 3, 9)}):
        theirs, ours = both(name, "Model", input_ids=ids, **extras)
        same(ours[0], theirs[0])


def test_a_causal_model_fills_a_cache_and_computes_new_positions_only() -> None:
    ids = classes(55, 2, 9) + 5
    model = pair(CASE["xlm-causal"], "Model")[1]
    cache = nabi.nn.cache.Cache()
    with torch.no_grad():
        whole = model(ids)[0]
        first, second = model(ids[:, :6], cache=cache)[0], model(ids, cache=cache)[0]
    assert second.shape[1] == 3 and cache.get_seq_length() == 9
    same(torch.cat((first, second), 1), whole, atol=1e-5)
    with pytest.raises(ValueError, match=r"config\.causal is False"):
        pair(CASE["xlm"], "Model")[1](ids, cache=cache)


def test_a_vocabulary_head_of_adaptive_softmax_is_refused() -> None:
    with pytest.raises(ValueError, match="config key 'asm' is True"):
        nabi.XLMConfig(asm=True, asm_cutoffs=[8000, 20000])


# --- ModernBERT -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_narrow_window_hides_what_is_far(side: str) -> None:
    """With padding that sees padding only: what stands there means nothing, and must not spoil the rest."""
    keys = {**CASE["modernbert"].keys, "local_attention": 2}
    torch.manual_seed(0)
    config = transformers.ModernBertConfig(**keys)
    config._attn_implementation = "eager"
    oracle = transformers.ModernBertModel(config).eval()
    model = nabi.ModernBertModel(nabi.ModernBertConfig(**keys)).eval()
    model.load_state_dict(oracle.state_dict())
    inputs = CASE["modernbert"].inputs("Model", side)
    real = inputs["attention_mask"].bool()
    with torch.no_grad():
        same(model(**inputs)[0][real], oracle(**inputs)[0][real])


def test_the_bases_of_rotation_may_stand_in_either_place_but_not_disagree() -> None:
    ropes = {"full_attention": {"rope_theta": 5.0}, "sliding_attention": {"rope_theta": 7.0}}
    one, other = (
        nabi.ModernBertConfig(rope_parameters=ropes),
        nabi.ModernBertConfig(global_rope_theta=5.0, local_rope_theta=7.0),
    )
    assert one == other and one.rope("sliding_attention")["rope_theta"] == 7.0
    assert nabi.ModernBertConfig.from_dict(one.to_dict()) == one
    with pytest.raises(ValueError, match=r"'local_rope_theta' is 8\.0, but 'rope_parameters' says 7\.0"):
        nabi.ModernBertConfig(rope_parameters=ropes, local_rope_theta=8.0)
    with pytest.raises(ValueError, match=r"'rope_parameters' holds 'rope_theta': 5\.0"):
        nabi.ModernBertConfig(rope_parameters={"rope_theta": 5.0})
    with pytest.raises(ValueError, match="'rope_parameters' holds None: True; expected an object"):
        nabi.ModernBertConfig(rope_parameters=True)


# --- Longformer -------------------------------------------------------------------------------------------------------


def test_a_question_without_its_separators_is_refused_and_who_sees_all_may_be_said() -> None:
    model, ids = pair(CASE["longformer"], "ForQuestionAnswering")[1], classes(50, 2, 9) + 5
    with pytest.raises(ValueError, match=r"the separator, id 2, three times .* \[0, 0\] times: pass global_attention"):
        model(ids)
    theirs, ours = both("longformer", "ForQuestionAnswering", input_ids=ids, global_attention_mask=ids % 2)
    same(ours.start_logits, theirs.start_logits)
    with pytest.raises(ValueError, match=r"global_attention_mask has shape \(2, 3\); expected \(2, 9\)"):
        model(ids, global_attention_mask=ids[:, :3])


@pytest.mark.parametrize("length", [1, 8, 13, 22])
def test_any_length_is_padded_to_whole_windows_inside(length: int) -> None:
    ids = classes(50, 2, length) + 5
    seeing = (torch.arange(length) % 5 == 3).long().expand(2, -1)
    given = {"input_ids": ids, "global_attention_mask": seeing, "output_attentions": True, "output_hidden_states": True}
    theirs, ours = both("longformer", "Model", **given)
    same(ours[0], theirs[0])
    for name in ("hidden_states", "attentions", "global_attentions"):
        assert len(ours.get(name, ())) == len(theirs.get(name) or ())
        for one, other in zip(ours.get(name, ()), theirs.get(name) or (), strict=True):
            same(one, other)


# --- BigBird ----------------------------------------------------------------------------------------------------------


def chooser(most: int) -> BigBirdBlockSparseAttention:
    config = transformers.BigBirdConfig(max_position_embeddings=most, hidden_size=24, num_attention_heads=3)
    return BigBirdBlockSparseAttention(config, seed=0).train()


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("extra", [1, 2, 7, 30])
def test_random_blocks_are_those_of_the_incumbent(count: int, extra: int) -> None:
    blocks, theirs = 2 * count + 5 + extra, chooser(4096)
    for seed in range(4):
        np.random.seed(seed)
        plan = theirs._get_rand_attn_plan(blocks * 8, 8, count)
        wanted = theirs._bigbird_block_rand_mask_with_head(blocks * 8, blocks * 8, 8, 8, 3, *plan)
        before = np.random.get_state()[1].copy()
        assert np.array_equal(random_blocks(seed, 3, blocks, count), np.stack(wanted))
        assert np.array_equal(np.random.get_state()[1], before)  # the caller's own random numbers are left alone


@pytest.mark.parametrize(
    ("length", "most", "size"), [(1024, 4096, 64), (3072, 4096, 64), (4096, 4096, 64), (1024, 2048, 32)]
)
def test_the_planned_blocks_of_its_pre_training_are_those_of_the_incumbent(length: int, most: int, size: int) -> None:
    theirs = chooser(most)
    np.random.seed(3)
    wanted = [theirs._bigbird_block_rand_mask(most, most, size, size, 3, last_idx=1024) for _ in range(2)]
    found = planned_blocks(3, 2, length // size, 3, most // size, size)
    assert np.array_equal(found, np.stack([each[: length // size - 2] for each in wanted]))


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_long_text_that_is_no_whole_number_of_blocks_is_padded_inside(side: str) -> None:
    inputs = {name: value[:, :23] for name, value in CASE["big-bird"].inputs("Model", side).items()}
    real = inputs["attention_mask"].bool()
    theirs, ours = both("big-bird", "Model", **inputs)
    same(ours[0][real], theirs[0][real])
    same(ours.pooler_output[:1], theirs.pooler_output[:1])


def test_a_short_text_is_read_in_full_and_the_next_long_one_in_blocks_again(caplog: pytest.LogCaptureFixture) -> None:
    """The incumbent goes on in full for good, once it has seen a short text."""
    torch.manual_seed(0)
    keys = CASE["big-bird"].keys
    model = nabi.BigBirdModel(nabi.BigBirdConfig(**keys)).eval()
    full = nabi.BigBirdModel(nabi.BigBirdConfig(**keys | {"attention_type": "original_full"})).eval()
    full.load_state_dict(model.state_dict())
    ids = classes(55, 2, 24) + 5
    tell_of_short_texts.cache_clear()
    with torch.no_grad(), caplog.at_level(logging.WARNING):
        before = model(ids)[0]
        same(model(ids[:, :18])[0], full(ids[:, :18])[0], atol=0)
        model(ids[:, :18])
        same(model(ids)[0], before, atol=0)
        assert (full(ids)[0] - before).abs().max() > 1e-3
    assert [record.message for record in caplog.records] == [
        "a text of 18 tokens is read with full attention: attention_type 'block_sparse' starts above 18"
    ]


def test_the_question_is_found_by_its_separator_and_is_no_place_for_an_answer() -> None:
    ids = classes(50, 2, 9) + 5
    ids[0, 3] = ids[0, 8] = 4
    theirs, ours = both("big-bird-full", "ForQuestionAnswering", input_ids=ids)
    same(ours.start_logits[1], theirs.start_logits[1])
    same(ours.end_logits[0, 4:], theirs.end_logits[0, 4:])
    assert ours.start_logits[0, 1:4].max() < -9e5 < ours.start_logits[0, 0]
