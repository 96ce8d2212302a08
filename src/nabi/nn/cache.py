"""Keys and values of earlier positions, kept per block, so that a next token costs one position.

Three kinds: `Cache` grows with the text, `StaticCache` never holds more than it was made for, `SlidingWindowCache`
forgets what the blocks with a window cannot see any more. All write in place, into buffers with room behind the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

KeyValue = tuple[Tensor, Tensor]  # each (batch, heads, length, head size)
_ROOM = 64  # positions that a buffer has behind the text when it is made anew: an eighth of the text, at least so many


class Layer:
    """The keys and values of one block. Reads as the pair (keys, values)."""

    def __init__(self, window: int | None = None) -> None:
        self.window = window  # the last positions that are kept for sure; None: all
        self.seen = 0  # positions that went through
        self._start = self._end = 0  # where the kept ones stand in the buffers
        self._buffers: list[Tensor] = []
        self._spare: list[Tensor] = []  # of the same shape: where reordered rows go

    @property
    def keys(self) -> Tensor:
        return self._buffers[0][:, :, self._start : self._end]

    @property
    def values(self) -> Tensor:
        return self._buffers[1][:, :, self._start : self._end]

    def __iter__(self) -> Iterator[Tensor]:
        return iter((self.keys, self.values))

    def __getitem__(self, place: int) -> Tensor:
        return (self.keys, self.values)[place]

    def __len__(self) -> int:
        return 2

    def append(self, key: Tensor, value: Tensor, reserved: int = 0) -> KeyValue:
        """Take new positions in, and return all keys and values that they may see.

        reserved: the positions that the buffer gets room for when it is made.
        """
        new = key.shape[2]
        kept = self._end - self._start
        if self.window is not None and kept >= self.window:
            self._start, kept = self._end - self.window + 1, self.window - 1  # a query sees itself and window - 1 more
        if self._writable(key) and self._end + new <= self._buffers[0].shape[2]:
            self._buffers[0][:, :, self._end : self._end + new] = key
            self._buffers[1][:, :, self._end : self._end + new] = value
            self._end += new
        else:
            self._move((key, value), kept + new, reserved)
        self.seen += new
        return self.keys, self.values

    def _writable(self, key: Tensor) -> bool:
        """Whether the buffers may be written into: not while gradients flow through them."""
        if not self._buffers or (torch.is_grad_enabled() and (key.requires_grad or self._buffers[0].requires_grad)):
            return False
        return not self._buffers[0].is_inference() or torch.is_inference_mode_enabled()

    def _move(self, new: tuple[Tensor, Tensor], length: int, reserved: int) -> None:
        """Into buffers of their own: exactly as long as the text the first time, or under gradients; then with room."""
        if self.window is not None and self._buffers:
            reserved = min(reserved, self.window)
        flowing = torch.is_grad_enabled() and new[0].requires_grad
        room = 0 if not self._buffers or flowing else max(_ROOM, length // 8)
        capacity = length if flowing else max(length + room, reserved)
        old = tuple(self) if self._buffers else (None, None)
        made: list[Tensor] = []
        for before, added in zip(old, new, strict=True):
            if capacity == length:
                made.append(added if before is None else torch.cat((before, added), dim=2))
                continue
            buffer = added.new_empty(*added.shape[:2], capacity, added.shape[3])
            split = length - added.shape[2]
            if before is not None:
                buffer[:, :, :split] = before
            buffer[:, :, split:length] = added
            made.append(buffer)
        self._buffers, self._spare, self._start, self._end = made, [], 0, length

    def reorder(self, rows: Tensor) -> None:
        """Take these rows of the batch, as many as there are, or fewer or more."""
        if torch.is_grad_enabled() or len(rows) != len(self._buffers[0]) or not self._writable(self._buffers[0]):
            self._buffers = [kept.index_select(0, rows) for kept in self]
            self._spare, self._start, self._end = [], 0, self._end - self._start
            return
        if not self._spare:
            self._spare = [torch.empty_like(buffer) for buffer in self._buffers]
        for buffer, spare in zip(self._buffers, self._spare, strict=True):
            kept, to = (each[:, :, self._start : self._end] for each in (buffer, spare))
            torch.index_select(kept, 0, rows, out=to)
        self._buffers, self._spare = self._spare, self._buffers

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""
        gone = self.seen - length
        if gone <= 0:
            return
        dropped = self.seen - (self._end - self._start)
        if length < dropped or (dropped and self.window and length - dropped < self.window - 1):
            raise ValueError(
                f"the cache cannot go back to {length} positions: a block with a window of {self.window} has already "
                f"forgotten the first {dropped}; use a Cache, which keeps all"
            )
        self._end -= gone
        self.seen = length


class Cache:
    """The layers of a model, block by block. `cross` holds keys and values over an encoder's output, made once.

    reserve: for how many positions buffers get room at first (0: as the text needs it). shared: how many rows of the
    batch, one after another, read the same row of the encoder's output, as the beams of a text do.
    Reads like the tuple of tuples that older code passes around: `cache[layer]` is (key, value), with the
    cross-attention pair behind it where there is one.
    """

    def __init__(
        self,
        layers: Sequence[KeyValue] = (),
        cross: Sequence[KeyValue] = (),
        *,
        reserve: int = 0,
        shared: int = 1,
        **of_other_kinds: Any,
    ) -> None:
        if of_other_kinds.keys() - {"config", "offloading"}:  # DynamicCache(config=…) of newer code
            raise TypeError(f"{type(self).__name__} takes no argument {min(of_other_kinds)!r}")
        if not isinstance(layers, (tuple, list)):  # a config, as newer code passes it
            layers = ()
        self.layers: list[Layer] = []
        self.cross: dict[int, KeyValue] = dict(enumerate(cross))
        self.reserve = reserve
        self.shared = shared
        for index, pair in enumerate(layers):
            self.update(pair[0], pair[1], index)

    def update(self, key: Tensor, value: Tensor, layer: int, window: int | None = None) -> KeyValue:
        """Append the new positions of a layer and return its keys and values: all, or those the window still sees."""
        while len(self.layers) <= layer:
            self.layers.append(Layer(self._window(window)))
        kept = self.layers[layer]
        if kept.seen:
            for what, place in (("texts", 0), ("heads", 1), ("numbers a head", 3)):
                if kept.keys.shape[place] != key.shape[place]:
                    raise ValueError(
                        f"past_key_values holds {kept.keys.shape[place]} {what}, but this pass has {key.shape[place]}: "
                        "pass the cache that this model returned for these texts, or start without one"
                    )
        self.check_room(kept.seen + key.shape[2])
        return kept.append(key, value, self.reserve)

    def _window(self, window: int | None) -> int | None:
        """What a layer keeps whose block sees so many positions."""
        return None

    def check_room(self, length: int) -> None:
        """An error if so many positions do not fit."""

    def get_seq_length(self, layer: int = 0) -> int:
        """How many positions went in."""
        return self.layers[layer].seen if layer < len(self.layers) else 0

    def get_max_cache_shape(self, layer: int = 0) -> int:
        """How many positions fit in; -1: any number."""
        return -1

    def reorder_cache(self, rows: Tensor) -> None:
        """Take these rows of the batch, as beam search does after each step."""
        for layer in self.layers:
            if layer.seen:
                layer.reorder(rows)
        if self.shared == 1:
            for index, (key, value) in self.cross.items():
                self.cross[index] = (key.index_select(0, rows), value.index_select(0, rows))

    def batch_select_indices(self, rows: Tensor) -> None:
        self.reorder_cache(rows)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Each row of the batch so many times."""
        rows = len(self.layers[0].keys) if self.layers else 0
        self.reorder_cache(torch.arange(rows).repeat_interleave(repeats))

    def crop(self, length: int) -> None:
        """Forget all positions from `length` on; a negative length counts from the end."""
        length = length if length >= 0 else self.get_seq_length() + length
        for layer in self.layers:
            layer.crop(length)

    def reset(self) -> None:
        """Forget all."""
        self.layers, self.cross = [], {}

    def to_legacy_cache(self) -> tuple[tuple[Tensor, ...], ...]:
        """Copies, which later tokens do not change."""
        return tuple(tuple(each.clone() for each in self[layer]) for layer in range(len(self)))

    @property
    def key_cache(self) -> list[Tensor]:
        return [layer.keys for layer in self.layers]

    @property
    def value_cache(self) -> list[Tensor]:
        return [layer.values for layer in self.layers]

    @property
    def self_attention_cache(self) -> Cache:
        return self

    @classmethod
    def of(cls, past: Any) -> Cache:
        """A cache from what callers pass: a Cache, a tuple of (key, value[, cross key, cross value]), or None."""
        if past is None:
            return Cache()
        if isinstance(past, Cache):
            return past
        if not isinstance(past, (tuple, list)) or not all(_is_entry(pair) for pair in past):
            raise TypeError(
                f"past_key_values is a {type(past).__name__}; expected the Cache that the model returned, or a "
                "tuple with (key, value) for each layer"
            )
        pairs = [tuple(pair) for pair in past]
        return Cache([pair[:2] for pair in pairs], [pair[2:] for pair in pairs if len(pair) == 4])

    from_legacy_cache = of

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, layer: int) -> tuple[Tensor, ...]:
        return (*self.layers[layer], *self.cross.get(layer, ()))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (self[layer] for layer in range(len(self)))

    def __bool__(self) -> bool:
        return True  # an empty cache is still a cache to fill


class StaticCache(Cache):
    """A cache with room for max_cache_len positions from the start, and for no more.

    What older code passes besides (config, batch size, device, dtype) is taken and not needed: the first tokens say it.
    """

    def __init__(self, config: Any = None, *args: Any, max_cache_len: int | None = None, **_: Any) -> None:
        sizes = [size for size in args if isinstance(size, int)]
        max_cache_len = max_cache_len or (sizes[-1] if sizes else None)
        if not max_cache_len or max_cache_len < 1:
            raise ValueError("StaticCache needs max_cache_len, the most positions that it will hold")
        super().__init__(reserve=max_cache_len)

    def check_room(self, length: int) -> None:
        if length > self.reserve:
            raise ValueError(
                f"the StaticCache has room for {self.reserve} positions, but the text comes to {length}: make it with "
                f"max_cache_len={length} or more, or use a DynamicCache"
            )

    def get_max_cache_shape(self, layer: int = 0) -> int:
        return self.reserve


class SlidingWindowCache(Cache):
    """A cache that keeps, for blocks with a window, only the positions that the next token can still see."""

    def _window(self, window: int | None) -> int | None:
        return window


def _is_entry(pair: Any) -> bool:
    if isinstance(pair, Tensor):  # keys and values stacked, as prefixes are learned
        return pair.dim() == 5 and len(pair) == 2
    return isinstance(pair, (tuple, list)) and len(pair) in (2, 4) and all(isinstance(t, Tensor) for t in pair)


DynamicCache = Cache


class EncoderDecoderCache(Cache):
    """Under its older name: EncoderDecoderCache(self_attention_cache, cross_attention_cache)."""

    def __init__(self, *caches: Cache, **options: Any) -> None:
        own, cross = (*caches, None, None)[:2]
        super().__init__([(layer.keys, layer.values) for layer in own.layers] if own else (), **options)
        if cross is not None:
            self.cross = {index: (layer.keys, layer.values) for index, layer in enumerate(cross.layers)}


def check_cache_position(places: Tensor, past_key_values: Any) -> None:
    """Version 4's loops say where in the cache the new tokens go; a cache here counts itself, and this checks both."""
    seen = Cache.of(past_key_values).get_seq_length()
    if places.dim() != 1 or places.tolist() != list(range(seen, seen + len(places))):
        raise ValueError(
            f"cache_position is {places.tolist()}, but the cache holds {seen} positions: new tokens go behind them, "
            f"as in torch.arange({seen}, {seen} + how many)"
        )
