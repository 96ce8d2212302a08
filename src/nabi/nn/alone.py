"""Layers of a text encoder called without their model, as models of people's own do that were written for version 4.

attention_mask is what a model takes, or numbers to add, as `get_extended_attention_mask` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..outputs import BaseModelOutputWithPastAndCrossAttentions
from .context import Context
from .head_masks import HeadMasks
from .masks import attention_mask as make_mask
from .stack import run_stack

if TYPE_CHECKING:
    from .text_encoder import EncoderBlock


def layer_alone(
    block: EncoderBlock,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    head_mask: Tensor | None = None,
    encoder_hidden_states: Tensor | None = None,
    encoder_attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    output_attentions: bool | None = False,
) -> tuple[Tensor, ...]:
    """One layer: (batch, length, hidden) -> (the same, and the attentions if they are wanted).

    head_mask: a factor for each of its heads.
    """
    if not block.stands_alone:
        raise TypeError(f"the attention of {type(block).__name__} needs more than a mask: call the model instead")
    context = _context(
        hidden_states, attention_mask, encoder_hidden_states, encoder_attention_mask, past_key_values, output_attentions
    )
    context.head_masks = None if head_mask is None else HeadMasks(head_mask.flatten())
    x = block(hidden_states, context)
    return (x, *(context.attentions or ()), *(context.cross_attentions or ()))


def layers_alone(
    room: Any,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    head_mask: Tensor | Sequence[None] | None = None,
    encoder_hidden_states: Tensor | None = None,
    encoder_attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    use_cache: bool | None = False,
    output_attentions: bool | None = False,
    output_hidden_states: bool | None = False,
    return_dict: bool | None = True,
) -> BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...]:
    """All layers of the room that holds them, on vectors (batch, length, hidden)."""
    context = _context(
        hidden_states, attention_mask, encoder_hidden_states, encoder_attention_mask, past_key_values, output_attentions
    )
    context.hidden_states = [] if output_hidden_states else None
    if isinstance(head_mask, Tensor):
        context.head_masks = HeadMasks(head_mask)
    if use_cache:
        raise ValueError("use_cache=True: layers without their model keep no cache; call the model")
    x = run_stack(room.blocks, hidden_states, context)
    context.see(x)
    output = BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=x, **context.collected())
    return output if return_dict else output.to_tuple()


def _context(
    x: Tensor,
    mask: Tensor | None,
    memory: Tensor | None,
    memory_mask: Tensor | None,
    past_key_values: Any,
    output_attentions: bool | None,
) -> Context:
    if past_key_values is not None:
        raise ValueError("past_key_values were given: layers without their model keep no cache; call the model")
    if not isinstance(x, Tensor) or x.dim() != 3 or not x.is_floating_point():
        raise ValueError(
            f"hidden_states is {tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__}; expected vectors "
            "(batch, length, hidden), as the model's embeddings give them"
        )
    batch, length, _ = x.shape
    context = Context(memory=memory)
    context.mask, _ = make_mask(mask, batch=batch, queries=length, keys=length, device=x.device)
    if memory is not None:
        keys = memory.shape[1]
        context.memory_mask, _ = make_mask(memory_mask, batch=len(memory), queries=length, keys=keys, device=x.device)
    if output_attentions:
        context.attentions = []
        context.cross_attentions = [] if memory is not None else None
    return context
