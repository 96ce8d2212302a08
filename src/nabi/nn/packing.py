"""Packed rows: in training, the layers of a stack compute on the real tokens only, as if padding were not there.

A head says, with `reading`, which of the last hidden states it is going to read. Where none of them is padding, the
stack runs on (1, tokens, hidden), and attention alone lays the tokens out in rows again. What nobody reads is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .losses import IGNORED
from .masks import visible_tokens

Reads = Callable[[Tensor], bool]  # (batch, length), True at real tokens -> whether nothing else is read

_WORTH_IT = 1 / 16  # the share of padding from which the way there and back is made up for
_FEWEST = 64  # tokens of padding; below, nothing is slow
_reads: ContextVar[tuple[Reads, ...]] = ContextVar("reads", default=())


@contextmanager
def reading(*reads: Reads) -> Iterator[None]:
    """While this lasts, the last hidden states of the body that runs are read as `reads` say, and no others."""
    if torch.compiler.is_compiling():  # nothing is packed, and the graph stays whole
        yield
        return
    before = _reads.set(reads)
    try:
        yield
    finally:
        _reads.reset(before)


def real_tokens(real: Tensor) -> bool:
    """A reader behind the same mask."""
    return True


def first_tokens(real: Tensor) -> bool:
    return bool(real[:, 0].all())


def labelled_tokens(labels: Any, ahead: int = 0) -> Reads:
    """Tokens whose label, or the one so many places ahead, counts; without labels, somebody may read them all."""

    def only(real: Tensor) -> bool:
        if not isinstance(labels, Tensor) or labels.shape != real.shape:
            return False
        return not ((labels[:, ahead:] != IGNORED) & ~real[:, : real.shape[1] - ahead]).any()

    return only


@dataclass(frozen=True)
class Packing:
    """Where the real tokens of a batch stand."""

    places: Tensor  # (tokens,), into batch * length
    batch: int
    length: int

    @classmethod
    def of(cls, attention_mask: Tensor | None, batch: int) -> Packing | None:
        """The packing of a pass whose mask is (batch, length), where it is allowed and saves enough."""
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return None
        reads = _reads.get()
        if not reads or attention_mask is None or attention_mask.dim() != 2 or not torch.is_grad_enabled():
            return None
        if attention_mask.device.type != "cpu":
            return None  # counting tokens would wait for the device
        real = visible_tokens(attention_mask).expand(batch, -1)
        padding = real.numel() - int(real.sum())
        if padding < max(_FEWEST, _WORTH_IT * real.numel()) or not real.any(1).all():
            return None
        if not all(only(real) for only in reads):
            return None
        return cls(real.flatten().nonzero().squeeze(1), *real.shape)

    def tokens(self, x: Tensor) -> Tensor:
        """(batch, length, size) -> (1, tokens, size)"""
        return x.flatten(0, 1).index_select(0, self.places)[None]

    def rows(self, x: Tensor) -> Tensor:
        """The way back, with zeros where padding stands."""
        return (
            x.new_zeros(self.batch * self.length, x.shape[-1])
            .index_copy(0, self.places, x[0])
            .unflatten(0, (self.batch, self.length))
        )

    def rows_of_heads(self, x: Tensor) -> Tensor:
        """(1, heads, tokens, size) -> (batch, heads, length, size)"""
        return self.rows(x.transpose(1, 2).flatten(2)).unflatten(-1, (x.shape[1], -1)).transpose(1, 2)
