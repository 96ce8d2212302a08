"""Qwen3 (arXiv:2505.09388): Qwen2 without those biases; each head's queries and keys are normalised instead."""

from __future__ import annotations

from typing import ClassVar

from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from .llama import (
    LlamaForCausalLM,
    LlamaForQuestionAnswering,
    LlamaForTokenClassification,
    LlamaModel,
    NormedHeadsBlock,
)
from .qwen2 import Qwen2Config, Qwen2PreTrainedModel


class Qwen3Config(Qwen2Config):
    model_type = "qwen3"

    head_dim: int | None = 128
    attention_bias: bool = False

    @property
    def output_bias(self) -> bool:
        return self.attention_bias


class Qwen3PreTrainedModel(Qwen2PreTrainedModel):
    config_class = Qwen3Config


class Qwen3Model(Qwen3PreTrainedModel, LlamaModel):
    block_class = NormedHeadsBlock


class Qwen3Head(Qwen3PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Qwen3Model


class Qwen3ForCausalLM(Qwen3Head, LlamaForCausalLM):
    pass


class Qwen3ForSequenceClassification(Qwen3Head, heads.LastTokenClassification):
    pass


class Qwen3ForTokenClassification(Qwen3Head, LlamaForTokenClassification):
    pass


class Qwen3ForQuestionAnswering(Qwen3Head, LlamaForQuestionAnswering):
    pass
