"""Masks in four dimensions, as numbers to add to attention scores: 0 where a query may look, else the lowest number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..nn.masks import additive, attention_mask


class AttentionMaskConverter:
    """Makes (batch, 1, queries, keys) of (batch, keys), causal or not; a window counts the query itself."""

    def __init__(self, is_causal: bool, sliding_window: int | None = None) -> None:
        self.is_causal = is_causal
        self.sliding_window = sliding_window

    def to_causal_4d(
        self, batch_size: int, query_length: int, key_value_length: int, dtype: torch.dtype, device: Any = "cpu"
    ) -> Tensor | None:
        if query_length == 1 and self.sliding_window is None:
            return None
        return _made(
            None, batch_size, query_length, key_value_length, dtype, device, self.is_causal, self.sliding_window
        )

    def to_4d(
        self, attention_mask_2d: Tensor, query_length: int, dtype: torch.dtype, key_value_length: int | None = None
    ) -> Tensor:
        batch, keys = attention_mask_2d.shape
        made = _made(
            attention_mask_2d,
            *(batch, query_length, key_value_length or keys, dtype, attention_mask_2d.device),
            *(self.is_causal, self.sliding_window),
        )
        assert made is not None
        return made


def _made(
    given: Tensor | None,
    batch: int,
    queries: int,
    keys: int,
    dtype: torch.dtype,
    device: Any,
    causal: bool,
    window: int | None = None,
) -> Tensor | None:
    mask, _ = attention_mask(
        given, batch=batch, queries=queries, keys=keys, device=torch.device(device), causal=causal, window=window,
        materialise=True,
    )  # fmt: skip
    if mask is None:  # nothing is hidden
        mask = torch.ones(batch, 1, queries, keys, dtype=torch.bool, device=device)
    return additive(mask.expand(batch, 1, queries, keys), dtype)


def _prepare_4d_attention_mask(mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None) -> Tensor:
    """(batch, keys) -> (batch, 1, queries, keys)"""
    batch, keys = mask.shape
    made = _made(mask, batch, tgt_len or keys, keys, dtype, mask.device, False)
    assert made is not None
    return made


_prepare_4d_attention_mask_for_sdpa = _prepare_4d_attention_mask


def _prepare_4d_causal_attention_mask(
    attention_mask: Tensor | None,
    input_shape: Sequence[int],
    inputs_embeds: Tensor,
    past_key_values_length: int,
    sliding_window: int | None = None,
) -> Tensor | None:
    """(batch, keys) or None -> (batch, 1, queries, keys); input_shape is (batch, queries)."""
    batch, queries = input_shape[0], input_shape[-1]
    keys = past_key_values_length + queries
    return _made(attention_mask, batch, queries, keys, inputs_embeds.dtype, inputs_embeds.device, True, sliding_window)


_prepare_4d_causal_attention_mask_for_sdpa = _prepare_4d_causal_attention_mask


def _create_4d_causal_attention_mask(
    input_shape: Sequence[int],
    dtype: torch.dtype,
    device: Any,
    past_key_values_length: int = 0,
    sliding_window: int | None = None,
) -> Tensor | None:
    batch, queries = input_shape[0], input_shape[-1]
    return _made(None, batch, queries, past_key_values_length + queries, dtype, device, True, sliding_window)


def create_causal_mask(
    config: Any, input_embeds: Tensor, attention_mask: Tensor | None, past_key_values: Any = None, **_: Any
) -> Tensor | None:
    """The mask of a decoder's pass over (batch, queries, hidden), behind what the cache holds."""
    past = past_key_values.get_seq_length() if past_key_values is not None else 0
    return _prepare_4d_causal_attention_mask(attention_mask, input_embeds.shape[:2], input_embeds, past)


create_masks_for_generate = create_causal_mask
