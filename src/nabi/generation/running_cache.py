"""The cache of a running batch: texts join and leave it, and no other text is copied for that."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..nn.cache import Cache, KeyValue

_STEP = 64  # lengths are multiples of it, so that the buffers are seldom made anew


class RunningCache(Cache):
    """A static cache with a place for each of `places` texts, whose last tokens all stand in the same column.

        place 0   . . . . a b c d e│        The texts end together: a text that joins is written so that it does,
        place 1   . . x y z u v w u│        and what stands before it is hidden by the mask. Every pass fills the
        place 2   . . . . . . . p q│        column behind the line; at the right edge all move left once.

    It has 2 * length columns and starts in the middle, so that a text of up to `length` positions can always join;
    length is that of the longest text so far.
    """

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places, self.length = places, 0
        self.end = 0  # the column that the next pass fills
        self.starts: list[int] = []  # of each text: the column of its first token
        self._buffers: list[list[Tensor]] = []  # for each layer keys and values, (places, heads, columns, head size)

    @property
    def start(self) -> int:
        return min(self.starts, default=self.end)

    def get_seq_length(self, layer: int = 0) -> int:
        return self.end - self.start

    def update(self, key: Tensor, value: Tensor, layer: int, window: int | None = None) -> KeyValue:
        """Fill the next column of all texts; `advance` makes it the last one."""
        kept = []
        for buffer, new in zip(self._buffers[layer], (key, value), strict=True):
            texts = buffer[: len(self.starts)]
            texts[:, :, self.end : self.end + 1] = new
            kept.append(texts[:, :, self.start : self.end + 1])
        return kept[0], kept[1]

    def advance(self) -> None:
        self.end += 1
        if self.end == 2 * self.length:
            self._move(self._buffers, self.length)

    def _move(self, target: list[list[Tensor]], end: int) -> None:
        """All texts into these buffers, so that they end at this column."""
        by = self.end - end
        for pair, new in zip(self._buffers, target, strict=True):
            for buffer, place in zip(pair, new, strict=True):
                kept = buffer[: len(self.starts), :, self.start : self.end]
                place[: len(self.starts), :, self.start - by : end] = kept.clone() if place is buffer else kept
        self.starts = [start - by for start in self.starts]
        self.end = end

    def join(self, cache: Cache, length: int, most: int) -> None:
        """Take in the last `length` positions of a cache of one text, which will come to `most` of them."""
        if most > self.length:
            self._enlarge(cache, -(-most // _STEP) * _STEP)
        if not self.starts:
            self.end = self.length
        place, start, before = len(self.starts), self.end - length, self.start
        for pair, layer in zip(self._buffers, cache.layers, strict=True):
            for buffer, kept in zip(pair, layer, strict=True):
                buffer[place, :, start : self.end] = kept[0, :, -length:]
                # What a mask hides must be a number all the same: 0 times NaN is NaN.
                buffer[place, :, before:start] = 0
                buffer[:place, :, start:before] = 0
        self.starts.append(start)

    def _enlarge(self, cache: Cache, length: int) -> None:
        made = [
            [each.new_empty(self.places, each.shape[1], 2 * length, each.shape[3]) for each in layer]
            for layer in cache.layers
        ]
        if self.starts:
            self._move(made, length)
        self._buffers, self.length = made, length

    def leave(self, place: int) -> None:
        """Forget a text; the last one takes its place."""
        last = len(self.starts) - 1
        if place < last:
            columns = slice(self.starts[last], self.end)
            for pair in self._buffers:
                for buffer in pair:
                    buffer[place, :, columns] = buffer[last, :, columns]
            self.starts[place] = self.starts[last]
        self.starts.pop()

    def inputs(self, device: Any) -> dict[str, Tensor]:
        """Mask and positions of the next pass."""
        starts = torch.tensor(self.starts, device=device)[:, None]
        columns = torch.arange(self.start, self.end + 1, device=device)[None]
        return {"attention_mask": (columns >= starts).long(), "position_ids": self.end - starts}
