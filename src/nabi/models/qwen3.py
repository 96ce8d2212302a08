"""Qwen3 (arXiv:2505.09388): Qwen2 without those biases; each head's queries and keys are normalised instead."""

from __future__ import annotations

from typing import Any, ClassVar

from ..nn import heads
from ..nn.attention import normed_heads
from ..nn.norms import RMSNorm
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from .llama import LlamaBlock, LlamaForCausalLM, LlamaForQuestionAnswering, LlamaForTokenClassification, LlamaModel
from .qwen2 import Qwen2Config, Qwen2PreTrainedModel


class Qwen3Config(Qwen2Config):
    model_type = "qwen3"

    head_dim: int | None = 128
    attention_bias: bool = False

    @property
    def output_bias(self) -> bool:
        return self.attention_bias


class Qwen3Block(LlamaBlock):
    project = normed_heads
    head_norm_q, head_norm_k = At("self_attn.q_norm"), At("self_attn.k_norm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.head_norm_q = RMSNorm(config.head_dim, config.rms_norm_eps)
        self.head_norm_k = RMSNorm(config.head_dim, config.rms_norm_eps)


class Qwen3PreTrainedModel(Qwen2PreTrainedModel):
    config_class = Qwen3Config


class Qwen3Model(Qwen3PreTrainedModel, LlamaModel):
    block_class = Qwen3Block


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
