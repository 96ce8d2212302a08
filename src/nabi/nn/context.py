"""One forward pass: what all blocks of a stack share, and what they leave behind for the caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from ..config import Config
from .cache import Cache
from .head_masks import HeadMasks, asked_masks
from .masks import attention_mask as make_mask
from .packing import Packing
from .positions import Table


@dataclass
class Context:
    """What all blocks of one forward pass share, and what they leave behind for the caller."""

    mask: Tensor | None = None  # broadcastable to (batch, heads, queries, keys): True = visible, or to be added
    causal: bool = False  # no mask, but each position sees only itself and those before
    windows: dict[int, tuple[Tensor | None, bool]] = field(default_factory=dict)  # both again, by a block's window
    packing: Packing | None = None  # the blocks see real tokens only, (1, tokens, hidden)
    explicit: bool = False  # scores in the open: some queries see nothing, and must still have the right gradients
    rotary: Table | None = None
    rotary_near: Table | None = None  # of the blocks with a window, where it is another
    memory: Any = None  # an encoder's output (batch, source length, hidden), or None
    memory_mask: Tensor | None = None
    cache: Cache | None = None
    past: int = 0  # how many positions the cache held before this pass
    hidden_states: list[Tensor] | None = None  # None: not wanted
    attentions: list[Tensor] | None = None
    cross_attentions: list[Tensor] | None = None
    head_masks: HeadMasks | None = None
    depth: int | None = None  # how many blocks lie below, where that is not the block's index
    decodes: bool = False  # for head_masks: whether it is the half that writes a target
    router_logits: list[Tensor] = field(default_factory=list)
    relative: Any = None  # what a family's score_bias reads

    def collect(self, config: Config, hidden_states: bool | None, attentions: bool | None) -> Context:
        """Keep hidden states and attentions if the caller, or else the config, wants them."""
        hidden_states = config.output_hidden_states if hidden_states is None else hidden_states
        attentions = config.output_attentions if attentions is None else attentions
        self.hidden_states = [] if hidden_states else None
        self.attentions = [] if attentions else None
        self.cross_attentions = [] if attentions and self.memory is not None else None
        return self

    def visible(self, window: int | None) -> tuple[Tensor | None, bool]:
        """The mask of a block that sees the last `window` positions, and whether plain causal attention says it all."""
        return (self.mask, self.causal) if window is None else self.windows[window]

    def angles(self, window: int | None) -> Table | None:
        """The rotary angles of a block that sees the last `window` positions."""
        return self.rotary if window is None or self.rotary_near is None else self.rotary_near

    def tokens(self, x: Tensor) -> Tensor:
        """(batch, length, hidden) as the blocks see it: where rows are packed, (1, tokens, hidden)."""
        return x if self.packing is None else self.packing.tokens(x)

    def rows(self, x: Tensor) -> Tensor:
        """The way back."""
        return x if self.packing is None else self.packing.rows(x)

    def rows_of_heads(self, x: Tensor) -> Tensor:
        """The same for (1, heads, tokens, head size)."""
        return x if self.packing is None else self.packing.rows_of_heads(x)

    def see(self, x: Tensor) -> None:
        if self.hidden_states is not None:
            self.hidden_states.append(x)

    def collected(self) -> dict[str, tuple[Tensor, ...]]:
        """The hidden states and attentions as the outputs name them."""
        seen = ((name, getattr(self, name)) for name in ("hidden_states", "attentions", "cross_attentions"))
        return {name: tuple(tensors) for name, tensors in seen if tensors is not None}


def open_context(
    config: Config,
    given: Tensor,
    *,
    causal: bool,
    attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    use_cache: bool | None = False,
    memory: Tensor | None = None,
    memory_mask: Tensor | None = None,
    windows: Iterable[int] = (),
    bias: bool = False,
    packs: bool = False,
    output_hidden_states: bool | None = None,
    output_attentions: bool | None = None,
) -> Context:
    """The context of a pass over `given`, (batch, length) ids or (batch, length, hidden) vectors.

    use_cache None leaves it to the config. Masks are as in masks.attention_mask; memory is an encoder's output;
    windows are those of the blocks; bias says that something will be added to the mask; packs, that the blocks compute
    each token by itself but for attention, and may do without padding.
    """
    batch, length = given.shape[:2]
    shared = past_key_values.shared if isinstance(past_key_values, Cache) else 1
    if memory is not None and memory.shape[0] * shared != batch:
        raise ValueError(
            f"the encoder's output holds {memory.shape[0]} sources, but {batch} targets go with it: pass one for each"
        )
    wants_cache = config.use_cache if use_cache is None else use_cache
    context = Context(memory=memory, head_masks=asked_masks(), decodes=config.is_encoder_decoder and causal)
    if past_key_values is not None or wants_cache:
        context.cache = Cache.of(past_key_values)
        context.past = context.cache.get_seq_length()
    context.collect(config, output_hidden_states, output_attentions)
    make = partial(
        make_mask,
        attention_mask,
        batch=batch,
        queries=length,
        keys=context.past + length,
        device=given.device,
        causal=causal,
        materialise=bias or context.attentions is not None,
    )
    context.mask, context.causal = make()
    context.windows = {window: make(window=window) for window in set(windows)}
    if packs and not context.past and memory is None and context.hidden_states is None and context.attentions is None:
        context.packing = Packing.of(attention_mask, batch)
    if memory is not None:
        context.memory_mask, _ = make_mask(
            memory_mask, batch=len(memory), queries=length, keys=memory.shape[1], device=given.device
        )
    return context
