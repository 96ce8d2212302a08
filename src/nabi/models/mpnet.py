"""MPNet (arXiv:2004.09297): a post-norm encoder without segments; its blocks share one bias of relative distance."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..nn import heads
from ..nn.context import Context, open_context
from ..nn.embeddings import TextEmbeddings, tokens_or_vectors
from ..nn.positions import relative_buckets
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..nn.text_encoder import EncoderBlock, TextEncoder
from ..outputs import BaseModelOutputWithPooling
from .bert import EncoderConfig
from .roberta import VocabularyHeadRoles

BUCKETS, FARTHEST = 32, 128  # whatever the config says of its table, which may only be longer


class MPNetConfig(EncoderConfig):
    model_type = "mpnet"

    vocab_size: int = 30527
    relative_attention_num_buckets: int = 32
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        self.require("pad_token_id", (1,), "the positions of this family are counted from padding tokens with the id 1")
        for key in ("is_decoder", "add_cross_attention"):
            self.require(key, (False,), "this family only encodes")
        if self.relative_attention_num_buckets < BUCKETS:
            raise ValueError(
                f"config key 'relative_attention_num_buckets' is {self.relative_attention_num_buckets}, but distances "
                f"fall into {BUCKETS} buckets: use a checkpoint with at least as many"
            )


class MPNetBlock(EncoderBlock):
    stands_alone = False  # it needs the model's bias of distances
    q, k, v, o = At("attention.attn.q"), At("attention.attn.k"), At("attention.attn.v"), At("attention.attn.o")
    norm_attn = At("attention.LayerNorm")
    up, down = At("intermediate.dense"), At("output.dense")
    norm_mlp = At("output.LayerNorm")

    def score_bias(self, q: Tensor, k: Tensor, context: Context) -> Tensor | None:
        return context.relative


class MPNetPreTrainedModel(PreTrainedModel):
    config_class = MPNetConfig
    base_model_prefix = "mpnet"


class MPNetModel(TextEncoder, MPNetPreTrainedModel):
    block_class = MPNetBlock
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("encoder.layer")
    distance_bias = At("encoder.relative_attention_bias")

    def make_blocks(self, config: Any) -> nn.ModuleList:
        self.distance_bias = nn.Embedding(config.relative_attention_num_buckets, config.num_attention_heads)
        return super().make_blocks(config)

    def make_embeddings(self, config: Any) -> TextEmbeddings:
        return TextEmbeddings(
            vocab_size=config.vocab_size,
            size=config.hidden_size,
            positions=config.max_position_embeddings,
            segments=0,
            padding=config.pad_token_id,
            norm_eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
            padded_positions=True,
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """last_hidden_state (batch, length, hidden); no segments: token_type_ids are not an input of this family."""
        context = open_context(
            self.config,
            tokens_or_vectors(input_ids, inputs_embeds),
            causal=False,
            attention_mask=attention_mask,
            packs=self.training,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = self.embeddings(input_ids, None, position_ids, inputs_embeds)
        places = torch.arange(x.shape[1], device=x.device)
        distance = places[None] - places[:, None]
        bucket = relative_buckets(distance, buckets=BUCKETS, max_distance=FARTHEST, both_ways=True)
        context.relative = self.distance_bias(bucket).permute(2, 0, 1)[None]
        x = run_stack(self.blocks, x, context, recompute=self.recomputes)
        context.see(x)
        return BaseModelOutputWithPooling(
            last_hidden_state=x,
            pooler_output=self.pooler(x) if self.pooler is not None else None,
            **context.collected(),
        )


class MPNetHead(MPNetPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = MPNetModel
    body_options: ClassVar[dict[str, Any]] = {"add_pooling_layer": False}

    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob


class MPNetForMaskedLM(VocabularyHeadRoles, MPNetHead, heads.MaskedLM):
    ties: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "mpnet.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }


class MPNetForSequenceClassification(MPNetHead, heads.FirstTokenClassification):
    pass


class MPNetForMultipleChoice(MPNetHead, heads.MultipleChoice):
    body_options: ClassVar = {"add_pooling_layer": True}


class MPNetForTokenClassification(MPNetHead, heads.TokenClassification):
    pass


class MPNetForQuestionAnswering(MPNetHead, heads.QuestionAnswering):
    pass
