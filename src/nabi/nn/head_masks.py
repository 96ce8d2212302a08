"""head_mask: what each attention head says, multiplied by a number. 1 leaves a head as it is, 0 silences it.

The masks of a call reach the attention of all blocks by this file, so that no family has to hand them on. A family
whose attention does not look here refuses them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

NAMES = ("head_mask", "decoder_head_mask", "cross_attn_head_mask")


@dataclass
class HeadMasks:
    """The masks of one call: each None, (heads,), (layers, heads), or (layers, batch or 1, heads, 1, 1)."""

    head_mask: Tensor | None = None
    decoder_head_mask: Tensor | None = None
    cross_attn_head_mask: Tensor | None = None
    taken: set[str] = field(default_factory=set)  # the names that an attention has asked for

    def of_self(self, decodes: bool, layer: int, heads: int) -> Tensor | None:
        """(batch or 1, heads, 1, 1), for the self attention of this layer."""
        name = "decoder_head_mask" if decodes else "head_mask"
        return self._of(name, layer, heads)

    def of_cross(self, layer: int, heads: int) -> Tensor | None:
        return self._of("cross_attn_head_mask", layer, heads)

    def _of(self, name: str, layer: int, heads: int) -> Tensor | None:
        self.taken.add(name)
        mask: Tensor | None = getattr(self, name)
        if mask is None:
            return None
        if mask.dim() == 1:
            here = mask[None, :, None, None]
        elif mask.dim() == 2 and layer < len(mask):
            here = mask[layer][None, :, None, None]
        elif mask.dim() == 5 and layer < len(mask) and mask.shape[-2:] == (1, 1):
            here = mask[layer]
        else:
            here = mask[:0]
        if here.shape[1:2] != (heads,):
            raise ValueError(
                f"{name} has shape {tuple(mask.shape)}, but layer {layer} has {heads} heads: pass ({heads},), or "
                f"(layers, {heads})"
            )
        return here


def masked_weights(weights: Tensor, masks: HeadMasks | None, layer: int) -> Tensor:
    """An encoder's weights of self attention, (batch, heads, queries, keys), each head's times its factor."""
    factors = None if masks is None else masks.of_self(False, layer, weights.shape[1])
    return weights if factors is None else weights * factors.to(weights.dtype)


_masks: ContextVar[HeadMasks | None] = ContextVar("head_masks", default=None)


def asked_masks() -> HeadMasks | None:
    """Those of the call that is running. A compiled pass has none: `uncompiled` has taken care of those that have."""
    return None if torch.compiler.is_compiling() else _masks.get()


def uncompiled(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, run eagerly where a compiler would take it over."""
    return torch.compiler.disable(call) if "torch._dynamo" in sys.modules else call


@contextmanager
def masking_heads(owner: str, given: dict[str, Tensor]) -> Iterator[None]:
    """While this lasts, the attention of the model that runs is masked. ValueError if it never looked at one of them;
    head_mask may belong to an encoder that ran before."""
    masks = HeadMasks(**{name: given.get(name) for name in NAMES})  # type: ignore[arg-type]
    before = _masks.set(masks)
    try:
        yield
    finally:
        _masks.reset(before)
    unused = [name for name in given if name not in masks.taken and (name != "head_mask" or not masks.taken)]
    if unused:
        raise ValueError(f"no attention of {owner} takes {' or '.join(unused)} in this call: leave it out")
