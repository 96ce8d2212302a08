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
