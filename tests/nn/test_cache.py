"""Caches: what is written in place, moved, taken back and read as older code reads it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

import nabi
from nabi import Cache, DynamicCache, EncoderDecoderCache, SlidingWindowCache, StaticCache

from .tiny import ids, make


def step(number: float, length: int = 1, rows: int = 2) -> tuple[Tensor, Tensor]:
    return torch.full((rows, 3, length, 4), number), torch.full((rows, 3, length, 4), -number)


def values_of(keys: Tensor) -> list[float]:
    return keys[0, 0, :, 0].tolist()


@torch.no_grad()
def test_positions_are_kept_in_order_however_often_the_buffers_are_made_anew() -> None:
    cache = Cache()
    for number in range(300):
        keys, values = cache.update(*step(number), layer=0)
    assert values_of(keys) == list(range(300)) and values_of(values) == [-number for number in range(300)]
    assert cache.get_seq_length() == 300


@torch.no_grad()
def test_next_tokens_are_written_in_place() -> None:
    cache = Cache(reserve=10)
    first, _ = cache.update(*step(1, length=4), layer=0)
    second, _ = cache.update(*step(2), layer=0)
    assert second.data_ptr() == first.data_ptr() and second.shape[2] == 5


def test_gradients_flow_through_a_cache() -> None:
    cache, given = Cache(), step(1.0, length=2)
    key = given[0].clone().requires_grad_()
    cache.update(key, given[1], layer=0)
    keys, _ = cache.update(*step(2.0), layer=0)
    keys.sum().backward()
    assert key.grad is not None and bool((key.grad == 1).all())


def test_what_inference_mode_wrote_can_be_gone_on_with_outside() -> None:
    cache = Cache(reserve=8)
    with torch.inference_mode():
        cache.update(*step(1, length=2), layer=0)
    keys, _ = cache.update(*step(2), layer=0)
    assert values_of(keys) == [1, 1, 2]


@torch.no_grad()
def test_rows_are_reordered_with_what_was_read_for_them() -> None:
    cache = Cache(reserve=8)
    key = torch.arange(2.0)[:, None, None, None].expand(2, 3, 2, 4)
    cache.update(key, key, layer=0)
    cache.cross[0] = (key, key)
    cache.reorder_cache(torch.tensor([1, 1]))
    assert cache.layers[0].keys.unique().tolist() == [1.0] and cache.cross[0][0].unique().tolist() == [1.0]
    cache.update(*step(7), layer=0)
    assert values_of(cache.layers[0].keys) == [1, 1, 7]


@torch.no_grad()
def test_rows_that_share_a_source_leave_it_as_it_is() -> None:
    cache = Cache(shared=2)
    cache.update(*step(1), layer=0)
    source = torch.rand(1, 3, 5, 4)
    cache.cross[0] = (source, source)
    cache.reorder_cache(torch.tensor([1, 0]))
    assert cache.cross[0][0] is source


@torch.no_grad()
def test_a_cropped_cache_goes_on_from_there() -> None:
    cache = Cache(reserve=8)
    for number in range(5):
        cache.update(*step(number), layer=0)
    cache.crop(-2)
    keys, _ = cache.update(*step(9), layer=0)
    assert values_of(keys) == [0, 1, 2, 9] and cache.get_seq_length() == 4


@torch.no_grad()
def test_a_tuple_taken_from_a_cache_does_not_change_with_it() -> None:
    cache = Cache(reserve=8)
    for number in range(3):
        cache.update(*step(number), layer=0)
    taken = cache.to_legacy_cache()
    cache.crop(1)
    cache.update(*step(9), layer=0)
    assert values_of(taken[0][0]) == [0, 1, 2]


@torch.no_grad()
def test_a_copy_goes_its_own_way() -> None:
    cache = Cache(reserve=8)
    cache.update(*step(1), layer=0)
    other = copy.deepcopy(cache)
    other.update(*step(2), layer=0)
    assert cache.get_seq_length() == 1 and other.get_seq_length() == 2


@torch.no_grad()
def test_a_window_forgets_what_cannot_be_seen_any_more() -> None:
    cache = SlidingWindowCache()
    for number in range(200):
        keys, _ = cache.update(*step(number), layer=0, window=5)
        whole, _ = cache.update(*step(number), layer=1)
        assert values_of(keys) == list(range(max(0, number - 4), number + 1))
    assert cache.get_seq_length() == 200 and whole.shape[2] == 200
    assert cache.layers[0]._buffers[0].shape[2] < 100


@torch.no_grad()
def test_a_long_prompt_sees_all_of_itself_through_a_window() -> None:
    cache = SlidingWindowCache()
    keys, _ = cache.update(*step(1, length=12), layer=0, window=5)
    assert keys.shape[2] == 12
    keys, _ = cache.update(*step(2, length=2), layer=0, window=5)
    assert values_of(keys) == [1, 1, 1, 1, 2, 2]


@torch.no_grad()
def test_a_window_that_has_forgotten_cannot_go_back_there() -> None:
    cache = SlidingWindowCache()
    for number in range(90):
        cache.update(*step(number), layer=0, window=5)
    with pytest.raises(ValueError, match="cannot go back to 3 positions: a block with a window of 5"):
        cache.crop(3)


def test_a_static_cache_says_when_it_is_full() -> None:
    cache = StaticCache(max_cache_len=3)
    cache.update(*step(1, length=3), layer=0)
    with pytest.raises(ValueError, match="has room for 3 positions, but the text comes to 4"):
        cache.update(*step(2), layer=0)
    with pytest.raises(ValueError, match="needs max_cache_len"):
        StaticCache()


def test_older_code_makes_and_reads_caches_as_it_did() -> None:
    model: Any = make("gpt2", "LMHeadModel")
    out = model(ids(), use_cache=True)
    past = out.past_key_values
    assert past[0][0].shape == past.key_cache[0].shape == past.layers[0].keys.shape == (2, 4, 7, 4)
    assert torch.equal(past[1][1], past.value_cache[1]) and len(past) == 2 and len(past.layers[0]) == 2
    nxt = ids()[:, :1]
    want = model(nxt, past_key_values=past.to_legacy_cache()).logits
    for made in (
        tuple((layer[0], layer[1]) for layer in past),
        DynamicCache.from_legacy_cache(past.to_legacy_cache()),
        DynamicCache(past.to_legacy_cache()),
    ):
        assert torch.equal(model(nxt, past_key_values=made).logits, want)
    assert torch.equal(model(nxt, past_key_values=past).logits, want) and past.get_seq_length() == 8
    filled = DynamicCache(config=model.config)
    model(ids(), past_key_values=filled)
    assert filled.get_seq_length() == 7
    static = StaticCache(model.config, 2, 16, device="cpu", dtype=torch.float32)
    model(ids(), past_key_values=static)
    assert static.get_max_cache_shape() == 16 and static.get_seq_length() == 7


def test_a_cache_of_both_halves_is_made_of_two() -> None:
    own, cross = DynamicCache(), DynamicCache()
    own.update(*step(1), layer=0)
    cross.update(*step(2, length=6), layer=0)
    both = EncoderDecoderCache(own, cross)
    assert len(both[0]) == 4 and both.cross[0][0].shape[2] == 6
    with pytest.raises(TypeError, match="takes no argument 'sizes'"):
        nabi.Cache(sizes=3)
