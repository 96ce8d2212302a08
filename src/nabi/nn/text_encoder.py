"""The body that text encoders share: embeddings, a stack, perhaps a pooler. As a decoder if the config says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from torch import Tensor, nn

from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions
from .alone import layer_alone, layers_alone
from .block import Block, ConfigBlock
from .context import Context, open_context
from .embeddings import TextEmbeddings, tokens_or_vectors
from .heads import Pooler
from .pretrained import PreTrainedModel
from .roles import open_rooms
from .stack import run_stack
from .wiring import post_norm


class EncoderBlock(ConfigBlock):
    """A layer of a text encoder. It may be called by itself too, with what version 4 gave a layer."""

    wiring = post_norm
    stands_alone: ClassVar[bool] = True  # its attention needs a mask of the model, and no more

    def forward(self, hidden_states: Tensor, *given: Any, **named: Any) -> Any:  # type: ignore[override]
        if given and isinstance(given[0], Context):
            return super().forward(hidden_states, given[0])
        return layer_alone(self, hidden_states, *given, **named)


class TextEncoder(PreTrainedModel):
    """ids -> embeddings -> (projection) -> blocks -> hidden states, and a pooled vector.

    Roles: blocks, the list of layers; projection, between embeddings and blocks of another size; pooler.
    """

    block_class: ClassVar[Callable[..., Block]]  # (config, index) -> Block
    blocks: Any
    projection: Any = None
    pooler: Any

    def __init__(self, config: Any, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = self.make_embeddings(config)
        projection = self.make_projection(config)
        if projection is not None:
            self.projection = projection
        self.blocks = self.make_blocks(config)
        if all(getattr(block, "stands_alone", False) for block in self.blocks):
            open_rooms(self, "blocks", layers_alone)  # `encoder`, or however the family calls it, may be called too
        self.pooler = self.make_pooler(config) if add_pooling_layer else None
        self.post_init()

    def make_projection(self, config: Any) -> nn.Module | None:
        size = self.embeddings.word_embeddings.embedding_dim
        return None if size == config.hidden_size else nn.Linear(size, config.hidden_size)

    def make_blocks(self, config: Any) -> nn.ModuleList:
        return nn.ModuleList(self.block_class(config, i) for i in range(config.num_hidden_layers))

    def make_pooler(self, config: Any) -> nn.Module:
        return Pooler(config.hidden_size)

    def make_embeddings(self, config: Any) -> TextEmbeddings:
        return TextEmbeddings(
            vocab_size=config.vocab_size,
            size=getattr(config, "embedding_size", config.hidden_size),
            positions=config.max_position_embeddings,
            segments=config.type_vocab_size,
            padding=config.pad_token_id,
            norm_eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )

    def schedule(self) -> Iterable[Block]:
        """The blocks in the order in which they run."""
        return self.blocks

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """last_hidden_state (batch, length, hidden) and pooler_output (batch, hidden).

        input_ids (batch, length), or inputs_embeds in their place; attention_mask (batch, length) with 1 at real
        tokens, or (batch, 1, queries, keys). The encoder_… and cache arguments are for a decoder.
        """
        config = self.config
        context = open_context(
            config,
            tokens_or_vectors(input_ids, inputs_embeds),
            causal=config.is_decoder,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache if config.is_decoder and not self.recomputes else False,
            memory=encoder_hidden_states,
            memory_mask=encoder_attention_mask,
            packs=self.training,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, context.past)
        if self.projection is not None:
            x = self.projection(x)
        x = run_stack(self.schedule(), x, context, recompute=self.recomputes)
        context.see(x)
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=x,
            pooler_output=self.pooler(x) if self.pooler is not None else None,
            past_key_values=context.cache,
            **context.collected(),
        )
