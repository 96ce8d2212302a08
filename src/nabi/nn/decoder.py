"""The bodies that text decoders share: words, what positions make of them, a causal stack with a cache, a last norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from ..outputs import BaseModelOutputWithPastAndCrossAttentions
from .block import Block
from .context import Context, open_context
from .embeddings import check_fit, places, tokens_or_vectors, word_vectors
from .positions import rotary_table
from .pretrained import PreTrainedModel
from .stack import run_stack


class TextDecoder(PreTrainedModel):
    """ids -> words -> `embed` -> causal blocks -> norm. Roles: word_embeddings, blocks, final_norm."""

    block_class: ClassVar[Callable[..., Block]]  # (config, index) -> Block
    norm_class: ClassVar[Any] = nn.LayerNorm  # (size, eps) -> module
    output_class: ClassVar[Any] = BaseModelOutputWithPastAndCrossAttentions
    dropout_key: ClassVar[str] = ""  # the config's key for dropout of what goes into the first block, if there is one
    biased: Any = False  # whether `embed` adds a bias to the context's mask
    causal: Any = True
    skip: Any = 0.0  # the chance that a block is left out in training
    blocks: Any
    final_norm: Any

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.word_embeddings = self.make_words(config)
        self.blocks = nn.ModuleList(self.block_class(config, i) for i in range(config.num_hidden_layers))
        self.drop = nn.Dropout(getattr(config, self.dropout_key) if self.dropout_key else 0.0)
        self.final_norm = self.make_norm(config)
        self.build(config)
        self.post_init()

    def make_words(self, config: Any) -> nn.Module:
        return nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)

    def make_norm(self, config: Any) -> nn.Module:
        return self.norm_class(config.hidden_size, config.layer_norm_eps)

    def build(self, config: Any) -> None:
        """Make what else the family has."""

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        """What goes into the first block: words (batch, length, hidden), with their positions where those are added.

        Where positions enter later, this leaves angles or biases in the context.
        """
        return words

    def finish(self, x: Tensor) -> Tensor:
        return self.final_norm(x)

    def forward(self, *args: Any, **inputs: Any) -> Any:
        """last_hidden_state (batch, length, hidden), and the cache for the next tokens if use_cache.

        The inputs are those of `run`.
        """
        x, context = self.run(*args, **inputs)
        return self.output_class(last_hidden_state=x, past_key_values=context.cache, **context.collected())

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
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
    ) -> tuple[Tensor, Context]:
        """The hidden states after the last norm, and the context that the blocks left.

        input_ids (batch, length), or inputs_embeds in their place; attention_mask (batch, all positions) with 1 at
        real tokens, or (batch, 1, length, all positions); past_key_values, the cache that an earlier pass returned.
        The encoder_… arguments are for blocks with cross attention.
        """
        given = tokens_or_vectors(input_ids, inputs_embeds)
        if position_ids is not None:
            check_fit("position_ids", position_ids, given)
        context = open_context(
            self.config,
            given,
            causal=self.causal,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=False if self.recomputes else use_cache,
            memory=encoder_hidden_states,
            memory_mask=encoder_attention_mask,
            packs=self.training,
            windows=[block.window for block in self.blocks if block.window is not None],
            bias=self.biased,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        words = word_vectors(self.word_embeddings, input_ids, given)
        skip = self.skip if self.training else 0.0
        x = self.drop(self.embed(words, position_ids, attention_mask, context))
        x = self.finish(run_stack(self.blocks, x, context, recompute=self.recomputes, skip=skip))
        context.see(x)
        return x, context


class RotaryDecoder(TextDecoder):
    """A text decoder with rotary positions. The config has rotary_size and rope()."""

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        position_ids = places(position_ids, words, context.past)
        context.rotary = rotary_table(position_ids, self.config.rotary_size, self.config.rope(), words.dtype)
        return words
