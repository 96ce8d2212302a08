"""Keys and values of earlier positions, kept per layer, so that a next token costs one position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

KeyValue = tuple[Tensor, Tensor]  # each (batch, heads, length, head size)


class Cache:
    """A growing cache. `cross` holds the keys and values over an encoder's output, made once.

    Reads like the tuple of tuples that older code passes around: `cache[layer]` is (key, value), with the
    cross-attention pair behind it where there is one.
    """

    def __init__(self, layers: Sequence[KeyValue] = (), cross: Sequence[KeyValue] = ()) -> None:
        self.layers: dict[int, KeyValue] = dict(enumerate(layers))
        self.cross: dict[int, KeyValue] = dict(enumerate(cross))

    def update(self, key: Tensor, value: Tensor, layer: int) -> KeyValue:
        """Append the new positions of a layer and return all of its keys and values."""
        if layer in self.layers:
            past_key, past_value = self.layers[layer]
            for what, place in (("texts", 0), ("heads", 1), ("numbers a head", 3)):
                if past_key.shape[place] != key.shape[place]:
                    raise ValueError(
                        f"past_key_values holds {past_key.shape[place]} {what}, but this pass has {key.shape[place]}: "
                        "pass the cache that this model returned for these texts, or start without one"
                    )
            key, value = torch.cat((past_key, key), dim=2), torch.cat((past_value, value), dim=2)
        self.layers[layer] = (key, value)
        return key, value

    def get_seq_length(self, layer: int = 0) -> int:
        """How many positions are kept."""
        return self.layers[layer][0].shape[2] if layer in self.layers else 0

    def reorder_cache(self, rows: Tensor) -> None:
        """Take these rows of the batch, as beam search does after each step."""
        for pairs in (self.layers, self.cross):
            for layer, (key, value) in pairs.items():
                pairs[layer] = (key.index_select(0, rows), value.index_select(0, rows))

    def crop(self, length: int) -> None:
        """Forget all positions from `length` on; a negative length counts from the end."""
        length = length if length >= 0 else self.get_seq_length() + length
        for layer, (key, value) in self.layers.items():
            self.layers[layer] = (key[:, :, :length], value[:, :, :length])

    def to_legacy_cache(self) -> tuple[tuple[Tensor, ...], ...]:
        return tuple(self)

    @classmethod
    def of(cls, past: Any) -> Cache:
        """A cache from what callers pass: a Cache, a tuple of (key, value[, cross key, cross value]), or None."""
        if past is None:
            return cls()
        if isinstance(past, Cache):
            return past
        if not isinstance(past, (tuple, list)) or not all(_is_entry(pair) for pair in past):
            raise TypeError(
                f"past_key_values is a {type(past).__name__}; expected the Cache that the model returned, or a "
                "tuple with (key, value) for each layer"
            )
        return cls([pair[:2] for pair in past], [pair[2:] for pair in past if len(pair) == 4])

    from_legacy_cache = of

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, layer: int) -> tuple[Tensor, ...]:
        return (*self.layers[layer], *self.cross.get(layer, ()))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (self[layer] for layer in range(len(self)))

    def __bool__(self) -> bool:
        return True  # an empty cache is still a cache to fill


def _is_entry(pair: Any) -> bool:
    return isinstance(pair, (tuple, list)) and len(pair) in (2, 4) and all(isinstance(t, Tensor) for t in pair)


DynamicCache = Cache
EncoderDecoderCache = Cache
