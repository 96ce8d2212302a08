"""mBART (arXiv:2001.08210): BART with norms before each part and at the end; a target begins with its language."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from ..nn.losses import IGNORED
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm
from .bart import (
    BartBlock,
    BartConfig,
    BartDecoderWrapper,
    BartForCausalLM,
    BartForConditionalGeneration,
    BartForQuestionAnswering,
    BartForSequenceClassification,
    BartModel,
    BartPreTrainedModel,
    BartStack,
)


class MBartConfig(BartConfig):
    model_type = "mbart"
    only = {**BartConfig.only, "add_final_layer_norm": True, "normalize_before": True}

    num_labels: int = 2
    decoder_start_token_id: int | None = None


class PreNormBlock(BartBlock):
    wiring = pre_norm


class MBartPreTrainedModel(BartPreTrainedModel):
    config_class = MBartConfig

    def shift_right(self, ids: Tensor) -> Tensor:
        """Target ids as decoder input: one place later, the last real token, the language, first."""
        padding = self.config.pad_token_id
        if padding is None:
            raise ValueError("to make decoder_input_ids, config.pad_token_id must be set")
        ids = ids.masked_fill(ids == IGNORED, padding)
        last = ids.gather(-1, ((ids != padding).sum(-1, keepdim=True) - 1).clamp(min=0))
        return torch.cat((last, ids[..., :-1]), dim=-1)


class MBartStack(MBartPreTrainedModel, BartStack):
    block_class = PreNormBlock
    norm_last = At("layer_norm")


class MBartModel(MBartPreTrainedModel, BartModel):
    stack_class = MBartStack


class MBartHead(MBartPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = MBartModel


class MBartForConditionalGeneration(MBartHead, BartForConditionalGeneration):
    pass


class MBartForSequenceClassification(MBartHead, BartForSequenceClassification):
    pass


class MBartForQuestionAnswering(MBartHead, BartForQuestionAnswering):
    pass


class MBartDecoderWrapper(MBartPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(MBartStack, decodes=True))


class MBartForCausalLM(MBartPreTrainedModel, BartForCausalLM):
    body_class = MBartDecoderWrapper
