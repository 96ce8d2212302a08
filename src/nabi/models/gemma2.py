"""Gemma 2 (arXiv:2408.00118): norms before and after each part, capped scores, every other layer in a window."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nn import attention, heads
from ..nn.block import Block
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import sandwich
from .gemma import GemmaBlock, GemmaConfig, GemmaForCausalLM, GemmaModel, GemmaPreTrainedModel
from .llama import LayerTypesConfig, LlamaForTokenClassification


class Gemma2Config(LayerTypesConfig, GemmaConfig):
    model_type = "gemma2"
    no_effect = GemmaConfig.no_effect | {"sliding_window_size"}  # of the first files, beside sliding_window

    hidden_size: int = 2304
    intermediate_size: int = 9216
    num_hidden_layers: int = 26
    num_attention_heads: int = 8
    num_key_value_heads: int | None = 4
    hidden_activation: str | None = "gelu_pytorch_tanh"
    query_pre_attn_scalar: int = 256
    final_logit_softcapping: float | None = 30.0
    attn_logit_softcapping: float | None = 50.0


def capped(x: Tensor, limit: float | None) -> Tensor:
    """Softly held between -limit and limit."""
    return x if limit is None else torch.tanh(x / limit) * limit


def mix_capped(
    block: Block,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    bias: Tensor | None = None,
    *,
    causal: bool = False,
    explicit: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """As attention.mix, with the scores capped; the mask always says what is hidden."""
    if block.cap is None:
        return attention.mix(block, q, k, v, mask, bias, causal=causal, explicit=explicit)
    k, v = attention.repeat_heads(k, q.shape[1]), attention.repeat_heads(v, q.shape[1])
    scores = capped(attention.score(block, q, k, bias), block.cap)
    weights = torch.softmax(attention.masked(scores, mask).float(), dim=-1).to(q.dtype)
    weights = F.dropout(weights, block.attention_dropout, block.training)
    return weights @ v, weights


class Gemma2Block(GemmaBlock):
    hooks_see_tuples = True
    wiring = sandwich
    mix = mix_capped
    norm_attn_out, norm_mlp = At("post_attention_layernorm"), At("pre_feedforward_layernorm")
    norm_mlp_out = At("post_feedforward_layernorm")

    def __init__(self, config: Any, index: int, **options: Any) -> None:
        super().__init__(config, index, scale=config.query_pre_attn_scalar**-0.5, **options)
        self.cap = config.attn_logit_softcapping


class Gemma2PreTrainedModel(GemmaPreTrainedModel):
    config_class = Gemma2Config


class Gemma2Model(Gemma2PreTrainedModel, GemmaModel):
    block_class = Gemma2Block
    biased = True  # the mask is written out: capped scores need it


class Gemma2Head(Gemma2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Gemma2Model


class Gemma2ForCausalLM(Gemma2Head, GemmaForCausalLM):
    def score_tokens(self, x: Tensor) -> Tensor:
        return capped(super().score_tokens(x), self.config.final_logit_softcapping)


class Gemma2ForSequenceClassification(Gemma2Head, heads.LastTokenClassification):
    pass


class Gemma2ForTokenClassification(Gemma2Head, LlamaForTokenClassification):
    pass
