"""Mistral (arXiv:2310.06825): LLaMA with few key heads, whose positions see a window of those before them."""

from __future__ import annotations

from typing import ClassVar

from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from .llama import DecoderConfig, LlamaForCausalLM, LlamaForTokenClassification, LlamaModel, LlamaPreTrainedModel


class MistralConfig(DecoderConfig):
    model_type = "mistral"

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 4096 * 32
    sliding_window: int | None = 4096

    def window(self, layer: int) -> int | None:
        return self.sliding_window


class MistralPreTrainedModel(LlamaPreTrainedModel):
    config_class = MistralConfig


class MistralModel(MistralPreTrainedModel, LlamaModel):
    pass


class MistralHead(MistralPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = MistralModel


class MistralForCausalLM(MistralHead, LlamaForCausalLM):
    pass


class MistralForSequenceClassification(MistralHead, heads.LastTokenClassification):
    pass


class MistralForTokenClassification(MistralHead, LlamaForTokenClassification):
    pass


class MistralForQuestionAnswering(MistralHead, heads.QuestionAnswering):
    pass
