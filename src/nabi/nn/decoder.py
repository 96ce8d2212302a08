"""The body that text decoders share: embeddings, a causal stack with a cache, a last norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from ..outputs import BaseModelOutputWithPast
from .block import Block
from .context import Context, open_context
from .embeddings import counted_positions, look_up, tokens_or_vectors
from .norms import RMSNorm
from .positions import rotary_table
from .pretrained import PreTrainedModel
from .stack import run_stack


class RotaryDecoder(PreTrainedModel):
    """ids -> word embeddings -> causal blocks with rotary positions -> norm.

    Roles: word_embeddings, blocks, final_norm. The config has head_dim and rope().
    """

    block_class: ClassVar[Callable[..., Block]]  # (config, index) -> Block
    blocks: Any
    final_norm: Any

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.blocks = nn.ModuleList(self.block_class(config, i) for i in range(config.num_hidden_layers))
        self.final_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_init()

    def forward(self, *args: Any, **inputs: Any) -> Any:
        """last_hidden_state (batch, length, hidden), and the cache for the next tokens if use_cache.

        The inputs are those of `run`.
        """
        x, context = self.run(*args, **inputs)
        return BaseModelOutputWithPast(last_hidden_state=x, past_key_values=context.cache, **context.collected())

    def run(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> tuple[Tensor, Context]:
        """The hidden states after the last norm, and the context that the blocks left.

        input_ids (batch, length), or inputs_embeds in their place; attention_mask (batch, all positions) with 1 at
        real tokens, or (batch, 1, length, all positions); past_key_values, the cache that an earlier pass returned.
        """
        config: Any = self.config
        given = tokens_or_vectors(input_ids, inputs_embeds)
        context = open_context(
            config,
            given,
            causal=True,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=False if self.recomputes else use_cache,
            windows=[block.window for block in self.blocks if block.window is not None],
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = look_up(self.word_embeddings, input_ids) if input_ids is not None else given
        if position_ids is None:
            position_ids = counted_positions(given.shape[1], context.past, given.device)
        context.rotary = rotary_table(position_ids, config.head_dim, config.rope(), x.dtype)
        x = run_stack(self.blocks, x, context, recompute=self.recomputes)
        x = self.final_norm(x)
        context.see(x)
        return x, context
