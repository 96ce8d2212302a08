"""RoBERTa (arXiv:1907.11692): BERT's blocks; positions count real tokens only; its own two heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..config import Config
from ..nn import heads
from ..nn.block import Block
from ..nn.embeddings import TextEmbeddings
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.text_encoder import TextEncoder
from .bert import BertBlock, BertConfig, BertPreTrainedModel


class RobertaConfig(BertConfig):
    model_type = "roberta"
    also_reads = ("xlm-roberta", "camembert")

    vocab_size: int = 50265
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2


class RobertaPreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = RobertaConfig
    base_model_prefix = "roberta"
    renames = BertPreTrainedModel.renames


class RobertaModel(TextEncoder, RobertaPreTrainedModel):
    block_class: ClassVar[Callable[..., Block]] = BertBlock
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("encoder.layer")

    def make_embeddings(self, config: Any) -> TextEmbeddings:
        return TextEmbeddings(
            vocab_size=config.vocab_size,
            size=config.hidden_size,
            positions=config.max_position_embeddings,
            segments=config.type_vocab_size,
            padding=config.pad_token_id,
            norm_eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
            padded_positions=True,
        )


class RobertaHead(RobertaPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = RobertaModel
    body_options: ClassVar[dict[str, Any]] = {"add_pooling_layer": False}


class VocabularyHeadRoles(PreTrainedModel):
    """Where RoBERTa and its relatives have their vocabulary head."""

    dense = At("lm_head.dense")
    norm = At("lm_head.layer_norm")
    output_embeddings = At("lm_head.decoder")
    lm_bias = At("lm_head.bias")

    def head_activation(self, config: Any) -> str:
        return "gelu"


class RobertaVocabularyHead(VocabularyHeadRoles, RobertaHead):
    ties: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }


class RobertaForMaskedLM(RobertaVocabularyHead, heads.MaskedLM):
    pass


class RobertaForCausalLM(RobertaVocabularyHead, heads.TransformedCausalLM):
    pass


class RobertaForSequenceClassification(RobertaHead, heads.FirstTokenClassification):
    pass


class RobertaForMultipleChoice(RobertaHead, heads.MultipleChoice):
    body_options: ClassVar = {"add_pooling_layer": True}

    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob


class RobertaForTokenClassification(RobertaHead, heads.TokenClassification):
    pass


class RobertaForQuestionAnswering(RobertaHead, heads.QuestionAnswering):
    pass
