"""Kinds of outputs of models that nabi has no family of, for code that makes them itself; old names of two others."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..outputs import (
    BaseModelOutput,
    BaseModelOutputWithPooling,
    CausalLMOutputWithPast,
    ImageClassifierOutput,
    Seq2SeqLMOutput,
)


class BaseModelOutputWithNoAttention(BaseModelOutput):
    pass


class BaseModelOutputWithCrossAttentions(BaseModelOutput):
    cross_attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPoolingAndProjection(BaseModelOutputWithPooling):
    projection_state: tuple[Tensor, ...] | None


class Wav2Vec2BaseModelOutput(BaseModelOutput):
    extract_features: Tensor


class SemanticSegmenterOutput(ImageClassifierOutput):
    """logits (batch, labels, height, width)"""


class MoEModelOutput(BaseModelOutput):
    router_probs: tuple[Tensor, ...] | None


class MoECausalLMOutputWithPast(CausalLMOutputWithPast):
    z_loss: Tensor | None
    aux_loss: Tensor | None
    router_logits: tuple[Tensor, ...] | None


class Seq2SeqMoEOutput(Seq2SeqLMOutput):
    encoder_router_logits: Any
    decoder_router_logits: Any
