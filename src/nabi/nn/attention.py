"""Attention, as functions of a block with the roles q, k, v, o and, over an encoder's output, cross_q … cross_o."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .masks import combine
from .positions import rotate

if TYPE_CHECKING:
    from .block import Block
    from .context import Context


def self_attention(block: Block, x: Tensor, context: Context) -> Tensor:
    """(batch, length, hidden) -> the same: every position reads the positions that the context lets it see."""
    q, k, v = block.project(x)
    if context.rotary is not None:
        q, k = rotate(q, k, context.rotary)
    if context.cache is not None:
        k, v = context.cache.update(k, v, block.index)
    bias = block.score_bias(q, k, context)
    mask, causal = context.visible(block.window)
    if context.explicit or context.attentions is not None:
        mixed, weights = mix_explicitly(block, q, k, v, mask, bias)
        if context.attentions is not None:
            context.attentions.append(weights)
    else:
        mixed = mix(block, q, k, v, combine(mask, bias), causal)
    return block.o(merge_heads(mixed))


def cross_attention(block: Block, x: Tensor, context: Context) -> Tensor:
    """Every position reads the encoder's output; its keys and values are made once per text."""
    q = split_heads(block.cross_q(x), block.head_size)
    cached = context.cache.cross if context.cache is not None else {}
    if block.index not in cached:
        cached[block.index] = block.project_memory(context.memory)
    k, v = cached[block.index]
    if context.cross_attentions is None:
        mixed = mix(block, q, k, v, context.memory_mask)
    else:
        mixed, weights = mix_explicitly(block, q, k, v, context.memory_mask)
        context.cross_attentions.append(weights)
    return block.cross_o(merge_heads(mixed))


def mix(block: Block, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
    """softmax(q k * scale + mask) v, by the fastest kernel there is."""
    return F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        dropout_p=block.attention_dropout if block.training else 0.0,
        is_causal=causal,
        scale=block.scale,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def mix_explicitly(
    block: Block, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The same step by step, for those who want the weights too. A query that sees nothing looks everywhere alike."""
    if q.shape[1] != k.shape[1]:
        k, v = (t.repeat_interleave(q.shape[1] // t.shape[1], dim=1) for t in (k, v))
    scores = q @ k.transpose(-1, -2) * block.scale
    scores = scores if bias is None else scores + bias
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    elif mask is not None:
        scores = scores + mask
    weights = F.dropout(torch.softmax(scores, dim=-1), block.attention_dropout, block.training)
    return weights @ v, weights


# --- projections: how q, k and v come out of the weights on disk --------------------------------------------------


def split_heads(x: Tensor, head_size: int) -> Tensor:
    """(batch, length, heads * head size) -> (batch, heads, length, head size)"""
    return x.unflatten(-1, (-1, head_size)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """The way back."""
    return x.transpose(1, 2).flatten(2)


def separate(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three projections."""
    q, k, v = (split_heads(role(x), block.head_size) for role in (block.q, block.k, block.v))
    return q, k, v


def normed_heads(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three projections; then each head's queries and keys are normalised (arXiv:2302.05442)."""
    q, k, v = separate(block, x)
    return block.head_norm_q(q), block.head_norm_k(k), v


def thirds(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection, its output cut into all queries, all keys, all values."""
    q, k, v = (split_heads(part, block.head_size) for part in block.qkv(x).chunk(3, dim=-1))
    return q, k, v


def separate_memory(block: Block, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Two projections of the encoder's output."""
    return split_heads(block.cross_k(memory), block.head_size), split_heads(block.cross_v(memory), block.head_size)
