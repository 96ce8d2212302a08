"""mT5 (arXiv:2010.11934): T5 v1.1 for many languages; the decoder's output is not scaled."""

from __future__ import annotations

from . import t5


class MT5Config(t5.T5Config):
    model_type = "mt5"

    vocab_size: int = 250112
    d_ff: int = 1024
    num_layers: int = 8
    num_heads: int = 6
    feed_forward_proj: str = "gated-gelu"
    scale_decoder_outputs: bool | None = False
    decoder_start_token_id: int | None = 0


class MT5PreTrainedModel(t5.T5PreTrainedModel):
    config_class = MT5Config


class MT5Model(MT5PreTrainedModel, t5.T5Model):
    pass


class MT5ForConditionalGeneration(MT5PreTrainedModel, t5.T5ForConditionalGeneration):
    pass


class MT5EncoderModel(MT5PreTrainedModel, t5.T5EncoderModel):
    pass


class MT5ForSequenceClassification(MT5PreTrainedModel, t5.T5ForSequenceClassification):
    body_class = MT5Model


class MT5ForTokenClassification(MT5PreTrainedModel, t5.T5ForTokenClassification):
    body_class = MT5EncoderModel


class MT5ForQuestionAnswering(MT5PreTrainedModel, t5.T5ForQuestionAnswering):
    pass
