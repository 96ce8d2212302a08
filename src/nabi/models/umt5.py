"""UMT5 (arXiv:2304.09151): mT5 in which every block has its own biases of relative positions."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..nn.context import Context
from . import t5


class UMT5Config(t5.T5Config):
    model_type = "umt5"
    no_effect = t5.T5Config.no_effect | {"scalable_attention"}

    vocab_size: int = 250112
    d_ff: int = 1024
    num_layers: int = 8
    num_heads: int = 6
    feed_forward_proj: str = "gated-gelu"
    decoder_start_token_id: int | None = 0


class OwnBias(t5.T5Block):
    """A block with a table of biases, whatever its place."""

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.bias = nn.Embedding(config.relative_attention_num_buckets, config.num_heads)

    def score_bias(self, q: Tensor, k: Tensor, context: Context) -> Tensor:
        return self.bias(context.relative).permute(2, 0, 1)[None]


class UMT5Block(OwnBias):
    pass


class UMT5GatedBlock(OwnBias, t5.T5GatedBlock):
    pass


class UMT5DecoderBlock(OwnBias, t5.T5DecoderBlock):
    pass


class UMT5GatedDecoderBlock(OwnBias, t5.T5GatedDecoderBlock):
    pass


class UMT5PreTrainedModel(t5.T5PreTrainedModel):
    config_class = UMT5Config


class UMT5Stack(UMT5PreTrainedModel, t5.T5Stack):
    block_classes = (UMT5Block, UMT5GatedBlock, UMT5DecoderBlock, UMT5GatedDecoderBlock)

    def place_biases(self, buckets: Tensor, context: Context) -> None:
        context.relative = buckets


class UMT5Model(UMT5PreTrainedModel, t5.T5Model):
    stack_class = UMT5Stack


class UMT5ForConditionalGeneration(UMT5PreTrainedModel, t5.T5ForConditionalGeneration):
    stack_class = UMT5Stack


class UMT5EncoderModel(UMT5PreTrainedModel, t5.T5EncoderModel):
    stack_class = UMT5Stack


class UMT5ForSequenceClassification(UMT5PreTrainedModel, t5.T5ForSequenceClassification):
    body_class = UMT5Model


class UMT5ForTokenClassification(UMT5PreTrainedModel, t5.T5ForTokenClassification):
    body_class = UMT5EncoderModel


class UMT5ForQuestionAnswering(UMT5PreTrainedModel, t5.T5ForQuestionAnswering):
    stack_class = UMT5Stack
