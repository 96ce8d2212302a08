"""Attention, as functions of a block with the roles q, k, v, o and, over an encoder's output, cross_q … cross_o."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .linear import linear
from .masks import combine

if TYPE_CHECKING:
    from .block import Block
    from .context import Context


def self_attention(block: Block, x: Tensor, context: Context) -> Tensor:
    """(batch, length, hidden) -> the same: every position reads the positions that the context lets it see."""
    q, k, v = map(context.rows_of_heads, block.project(x))
    q, k = block.place(q, k, context)
    if context.cache is not None:
        k, v = context.cache.update(k, v, block.index, block.window)
    bias = block.score_bias(q, k, context)
    mask, causal = context.visible(block.window)
    if mask is not None and mask.shape[-1] > k.shape[2]:  # the cache has forgotten what lies before the window
        mask = mask[..., -k.shape[2] :]
    explicit = context.explicit or context.attentions is not None
    mixed, weights = block.mix(q, k, v, mask, bias, causal=causal, explicit=explicit)
    if context.head_masks is not None:
        layer = block.index if context.depth is None else context.depth
        mixed, weights = scaled(mixed, weights, context.head_masks.of_self(context.decodes, layer, mixed.shape[1]))
    if context.attentions is not None and weights is not None:
        context.attentions.append(weights)
    return linear(block.o, context.tokens(merge_heads(mixed)))


def cross_attention(block: Block, x: Tensor, context: Context) -> Tensor:
    """Every position reads the encoder's output; its keys and values are made once per text.

    Where several rows of the batch share a text, as beams do, they are so many more queries to one set of keys.
    """
    q = split_heads(linear(block.cross_q, x), block.head_size)
    cached = context.cache.cross if context.cache is not None else {}
    if block.index not in cached:
        cached[block.index] = block.project_memory(context.memory)
    k, v = cached[block.index]
    rows, length = len(q), q.shape[2]
    q = q.unflatten(0, (len(k), -1)).transpose(1, 2).flatten(2, 3)
    mixed, weights = block.mix(q, k, v, context.memory_mask, explicit=context.cross_attentions is not None)
    if context.head_masks is not None:
        mixed, weights = scaled(mixed, weights, context.head_masks.of_cross(block.index, mixed.shape[1]))
    if context.cross_attentions is not None and weights is not None:
        context.cross_attentions.append(_apart(weights, rows, length))
    return linear(block.cross_o, merge_heads(_apart(mixed, rows, length)))


def scaled(mixed: Tensor, weights: Tensor | None, factors: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """What the heads mixed, and their weights, (batch, heads, …), times a factor for each head."""
    if factors is None:
        return mixed, weights
    factors = factors.to(mixed.dtype)
    return mixed * factors, None if weights is None else weights * factors


def _apart(x: Tensor, rows: int, length: int) -> Tensor:
    """(texts, heads, rows of a text * length, …) -> (rows, heads, length, …)"""
    if len(x) == rows:
        return x
    return x.unflatten(2, (-1, length)).transpose(1, 2).flatten(0, 1)


# --- mixing: softmax(q k * scale + mask) v -------------------------------------------------------------------------


def mix(
    block: Block,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    bias: Tensor | None = None,
    *,
    causal: bool = False,
    explicit: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """(batch, heads, queries, head size), by the fastest kernel there is; if explicit, with the weights."""
    if explicit:
        k, v = repeat_heads(k, q.shape[1]), repeat_heads(v, q.shape[1])
        weights = torch.softmax(masked(score(block, q, k, bias), mask), dim=-1)
        weights = F.dropout(weights, block.attention_dropout, block.training)
        return weights @ v, weights
    mixed = F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=combine(mask, bias),
        dropout_p=block.attention_dropout if block.training else 0.0,
        is_causal=causal,
        scale=block.scale,
        enable_gqa=bool(q.shape[1] != k.shape[1]),  # of a traced model it is a tensor
    )
    return mixed, None


def score(block: Block, q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
    scores = q @ k.transpose(-1, -2) * block.scale
    return scores if bias is None else scores + bias


def masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Scores where a query may see; a query that sees nothing looks everywhere alike."""
    if mask is None:
        return scores
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min) if mask.dtype == torch.bool else scores + mask


def repeat_heads(x: Tensor, heads: int) -> Tensor:
    """Keys or values of few heads, each for its group of query heads."""
    return x if x.shape[1] == heads else x.repeat_interleave(heads // x.shape[1], dim=1)


# --- projections: how q, k and v come out of the weights on disk --------------------------------------------------


def split_heads(x: Tensor, head_size: int) -> Tensor:
    """(batch, length, heads * head size) -> (batch, heads, length, head size)"""
    return x.unflatten(-1, (-1, head_size)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """The way back."""
    return x.transpose(1, 2).flatten(2)


def separate(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three projections."""
    q, k, v = (split_heads(linear(role, x), block.head_size) for role in (block.q, block.k, block.v))
    return q, k, v


def normed_heads(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three projections; then each head's queries and keys are normalised (arXiv:2302.05442)."""
    q, k, v = separate(block, x)
    return block.head_norm_q(q), block.head_norm_k(k), v


def thirds(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection, its output cut into all queries, all keys, all values."""
    q, k, v = (split_heads(part, block.head_size) for part in linear(block.qkv, x).chunk(3, dim=-1))
    return q, k, v


def thirds_of_heads(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection, in which each head's query, key and value stand together."""
    q, k, v = split_heads(linear(block.qkv, x), 3 * block.head_size).chunk(3, dim=-1)
    return q, k, v


def separate_memory(block: Block, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Two projections of the encoder's output."""
    k, v = (split_heads(linear(role, memory), block.head_size) for role in (block.cross_k, block.cross_v))
    return k, v
