"""A stack: blocks, one after another, in one context."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .context import Context
from .hooks import watched


def run_stack(
    blocks: Iterable[Callable[[Tensor, Context], Tensor]],
    x: Tensor,
    context: Context,
    *,
    recompute: bool = False,
    skip: float = 0.0,
) -> Tensor:
    """Run the blocks in order. In training, `recompute` trades time for memory in the backward pass, and `skip` is
    the chance that a block is left out (LayerDrop, arXiv:1909.11556): callers pass 0 otherwise."""
    blocks = list(blocks)
    if context.packing is not None and watched(blocks):
        context.packing = None  # hooks see rows, as without packing
    x = context.tokens(x)
    for depth, block in enumerate(blocks):
        context.see(x)
        if skip and torch.rand(()) < skip:
            continue
        here = context if context.head_masks is None else replace(context, depth=depth)
        x = checkpoint(block, x, here, use_reentrant=False) if recompute else block(x, here)
    return context.rows(x)
