"""Wirings: in which order a block normalises, computes and adds. One named function each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from .attention import cross_attention, self_attention

if TYPE_CHECKING:
    from .block import Block
    from .context import Context


def post_norm(block: Block, x: Tensor, context: Context) -> Tensor:
    """Normalise after each sum, as the first Transformer did (arXiv:1706.03762)."""
    x = block.norm_attn(x + block.dropout(self_attention(block, x, context)))
    if context.memory is not None:
        x = block.norm_cross(x + block.dropout(cross_attention(block, x, context)))
    return block.norm_mlp(x + block.dropout(block.feed(x, context)))


def pre_norm(block: Block, x: Tensor, context: Context) -> Tensor:
    """Normalise what goes into each part; the sum itself runs through untouched."""
    x = x + block.dropout(self_attention(block, block.norm_attn(x), context))
    if context.memory is not None:
        x = x + block.dropout(cross_attention(block, block.norm_cross(x), context))
    return x + block.dropout(block.feed(block.norm_mlp(x), context))


def norm_after(block: Block, x: Tensor, context: Context) -> Tensor:
    """Normalise what comes out of each part, before it is added (arXiv:2501.00656)."""
    x = x + block.norm_attn(self_attention(block, x, context))
    return x + block.norm_mlp(block.feed(x, context))


def sandwich(block: Block, x: Tensor, context: Context) -> Tensor:
    """Normalise what goes into each part, and what comes out of it (arXiv:2105.13290)."""
    x = x + block.norm_attn_out(self_attention(block, block.norm_attn(x), context))
    return x + block.norm_mlp_out(block.feed(block.norm_mlp(x), context))


def parallel(block: Block, x: Tensor, context: Context) -> Tensor:
    """Attention and MLP side by side, both on the same normalised input."""
    given = block.norm_attn(x)
    return x + block.dropout(self_attention(block, given, context)) + block.dropout(block.feed(given, context))


def parallel_norms(block: Block, x: Tensor, context: Context) -> Tensor:
    """Attention and MLP side by side, each on an input that it normalises itself."""
    mixed = self_attention(block, block.norm_attn(x), context)
    return x + block.dropout(mixed) + block.dropout(block.feed(block.norm_mlp(x), context))
