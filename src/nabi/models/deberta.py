"""DeBERTa (arXiv:2006.03654), the first version: as the second, with queries, keys and values in one projection."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..nn.attention import split_heads, thirds_of_heads
from ..nn.roles import At
from .deberta_v2 import (
    DebertaV2Block,
    DebertaV2ForMaskedLM,
    DebertaV2ForQuestionAnswering,
    DebertaV2ForSequenceClassification,
    DebertaV2ForTokenClassification,
    DebertaV2Model,
    DebertaV2PreTrainedModel,
    DisentangledConfig,
)


class DebertaConfig(DisentangledConfig):
    model_type = "deberta"
    only = {"talking_head": False}
    attention_head_size, norm_rel_ebd, share_att_key, conv_kernel_size = None, "none", False, 0  # the second version's


def biased_thirds(block: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection without bias; queries and values have one of their own."""
    q, k, v = thirds_of_heads(block, x)
    q_bias, v_bias = (split_heads(bias[None, None], block.head_size) for bias in (block.q_bias, block.v_bias))
    return q + q_bias, k, v + v_bias


class DebertaBlock(DebertaV2Block):
    project = biased_thirds
    q = k = v = None
    qkv = At("attention.self.in_proj")
    q_bias, v_bias = At("attention.self.q_bias"), At("attention.self.v_bias")
    pos_k, pos_q = At("attention.self.pos_proj"), At("attention.self.pos_q_proj")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        size = config.hidden_size
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(size)), nn.Parameter(torch.zeros(size))
        if self.pos_k is not None:
            self.pos_k = nn.Linear(size, size, bias=False)


class DebertaPreTrainedModel(DebertaV2PreTrainedModel):
    config_class = DebertaConfig


class DebertaModel(DebertaPreTrainedModel, DebertaV2Model):
    block_class = DebertaBlock


class DebertaForMaskedLM(DebertaPreTrainedModel, DebertaV2ForMaskedLM):
    body_class: ClassVar = DebertaModel


class DebertaForSequenceClassification(DebertaPreTrainedModel, DebertaV2ForSequenceClassification):
    body_class: ClassVar = DebertaModel


class DebertaForTokenClassification(DebertaPreTrainedModel, DebertaV2ForTokenClassification):
    body_class: ClassVar = DebertaModel


class DebertaForQuestionAnswering(DebertaPreTrainedModel, DebertaV2ForQuestionAnswering):
    body_class: ClassVar = DebertaModel
