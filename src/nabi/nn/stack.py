"""A stack: blocks, one after another, in one context."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..config import Config
from .cache import Cache

if TYPE_CHECKING:
    from .block import Block


@dataclass
class Context:
    """What all blocks of one forward pass share, and what they leave behind for the caller."""

    mask: Tensor | None = None  # broadcastable to (batch, heads, queries, keys): True = visible, or to be added
    causal: bool = False  # no mask, but each position sees only itself and those before
    rotary: tuple[Tensor, Tensor] | None = None  # cosines and sines
    memory: Tensor | None = None  # an encoder's output (batch, source length, hidden)
    memory_mask: Tensor | None = None
    cache: Cache | None = None
    hidden_states: list[Tensor] | None = None  # None: not wanted
    attentions: list[Tensor] | None = None
    cross_attentions: list[Tensor] | None = None
    router_logits: list[Tensor] = field(default_factory=list)

    def collect(self, config: Config, hidden_states: bool | None, attentions: bool | None) -> Context:
        """Keep hidden states and attentions if the caller, or else the config, wants them."""
        hidden_states = config.output_hidden_states if hidden_states is None else hidden_states
        attentions = config.output_attentions if attentions is None else attentions
        self.hidden_states = [] if hidden_states else None
        self.attentions = [] if attentions else None
        self.cross_attentions = [] if attentions and self.memory is not None else None
        return self

    def see(self, x: Tensor) -> None:
        if self.hidden_states is not None:
            self.hidden_states.append(x)

    def collected(self) -> dict[str, tuple[Tensor, ...] | None]:
        """The hidden states and attentions as the outputs name them."""
        return {
            name: None if (seen := getattr(self, name)) is None else tuple(seen)
            for name in ("hidden_states", "attentions", "cross_attentions")
        }


def run_stack(
    blocks: Iterable[Block], x: Tensor, context: Context, *, recompute: bool = False, skip: float = 0.0
) -> Tensor:
    """Run the blocks in order. `recompute` trades time for memory in the backward pass; `skip` is the chance
    that a block is left out in training (LayerDrop, arXiv:1909.11556)."""
    for block in blocks:
        context.see(x)
        if skip and block.training and torch.rand(()) < skip:
            continue
        if recompute and block.training:
            x = checkpoint(block, x, context, use_reentrant=False)
        else:
            x = block(x, context)
    return x
