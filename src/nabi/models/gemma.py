"""Gemma (arXiv:2403.08295): LLaMA with scaled words, and norms that scale by one more than their weight."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from .llama import (
    DecoderConfig,
    LlamaBlock,
    LlamaForCausalLM,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
)


class GemmaConfig(DecoderConfig):
    model_type = "gemma"
    only: ClassVar[dict[str, Any]] = {"use_bidirectional_attention": None}

    vocab_size: int = 256000
    hidden_size: int = 3072
    intermediate_size: int = 24576
    num_hidden_layers: int = 28
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    head_dim: int | None = 256
    hidden_act: str = "gelu_pytorch_tanh"
    hidden_activation: str | None = None
    max_position_embeddings: int = 8192
    attention_bias: bool = False
    tie_word_embeddings: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 1

    @property
    def output_bias(self) -> bool:
        return self.attention_bias

    def check(self) -> None:
        super().check()
        self.hidden_act = self.hidden_activation or self.hidden_act
        if self.hidden_act == "gelu":  # what the first files say, though they were trained with the approximation
            self.hidden_act = "gelu_pytorch_tanh"


class GemmaRMSNorm(nn.Module):
    """Scale by the root mean square, then by 1 + weight. Computed in float32."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (wide * (1 + self.weight.float())).to(x.dtype)


class ScaledEmbedding(nn.Embedding):
    """Words times the root of their size, rounded to the dtype of the weights as in training."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) * torch.tensor(self.embedding_dim**0.5, dtype=self.weight.dtype)


class GemmaBlock(LlamaBlock):
    norm_class = GemmaRMSNorm


class GemmaPreTrainedModel(LlamaPreTrainedModel):
    config_class: ClassVar[type[Config]] = GemmaConfig

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, GemmaRMSNorm):
            module.weight.zero_()


class GemmaModel(GemmaPreTrainedModel, LlamaModel):
    block_class: ClassVar[Any] = GemmaBlock
    norm_class = GemmaRMSNorm

    def make_words(self, config: Any) -> nn.Module:
        return ScaledEmbedding(config.vocab_size, config.hidden_size, config.pad_token_id)


class GemmaHead(GemmaPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GemmaModel


class GemmaForCausalLM(GemmaHead, LlamaForCausalLM):
    pass


class GemmaForSequenceClassification(GemmaHead, heads.LastTokenClassification):
    pass


class GemmaForTokenClassification(GemmaHead, LlamaForTokenClassification):
    pass
