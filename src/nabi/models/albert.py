"""ALBERT (arXiv:1909.11942): one block, or a few, run many times, on small embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.block import Block
from ..nn.losses import cross_entropy
from ..nn.packing import first_tokens, labelled_tokens, reading
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.text_encoder import EncoderBlock, TextEncoder
from ..outputs import ModelOutput
from .bert import BertPreTrainedModel


class AlbertConfig(Config):
    model_type = "albert"
    no_effect = Config.no_effect | {
        *("net_structure_type", "gap_size", "num_memory_blocks", "down_scale_factor", "layers_to_keep"),
    }

    vocab_size: int = 30000
    embedding_size: int = 128
    hidden_size: int = 4096
    num_hidden_layers: int = 12
    num_hidden_groups: int = 1
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    inner_group_num: int = 1
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout_prob: float = 0.1
    position_embedding_type: str = "absolute"
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 3

    def check(self) -> None:
        super().check()
        self.require("position_embedding_type", ("absolute", None), "use a checkpoint with absolute positions")
        self.require("is_decoder", (False,), "this family only encodes")


class AlbertBlock(EncoderBlock):
    q, k, v = At("attention.query"), At("attention.key"), At("attention.value")
    o = At("attention.dense")
    norm_attn = At("attention.LayerNorm")
    up, down = At("ffn"), At("ffn_output")
    norm_mlp = At("full_layer_layer_norm")


class AlbertGroup(nn.Module):
    """The blocks that run one after another at one depth; nearly always one."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList(AlbertBlock(config) for _ in range(config.inner_group_num))


class AlbertPreTrainedModel(PreTrainedModel):
    config_class = AlbertConfig
    base_model_prefix = "albert"
    renames = BertPreTrainedModel.renames


class LinearPooler(nn.Linear):
    """The first token's hidden state through this layer and tanh."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(super().forward(x[:, 0]))


class AlbertModel(TextEncoder, AlbertPreTrainedModel):
    word_embeddings = At("embeddings.word_embeddings")
    projection = At("encoder.embedding_hidden_mapping_in")
    blocks = At("encoder.albert_layer_groups")

    def make_projection(self, config: Any) -> nn.Module:
        return nn.Linear(config.embedding_size, config.hidden_size)

    def make_blocks(self, config: Any) -> nn.ModuleList:
        return nn.ModuleList(AlbertGroup(config) for _ in range(config.num_hidden_groups))

    def make_pooler(self, config: Any) -> nn.Module:
        return LinearPooler(config.hidden_size, config.hidden_size)

    def schedule(self) -> Iterable[Block]:
        """Which group runs at which depth: the depths are shared out evenly, in order."""
        depth, groups = self.config.num_hidden_layers, self.config.num_hidden_groups
        for i in range(depth):
            yield from self.blocks[i * groups // depth].albert_layers


class AlbertHead(AlbertPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = AlbertModel

    def head_dropout(self, config: Any) -> float:
        return config.classifier_dropout_prob


class AlbertVocabularyHead(AlbertHead):
    ties: ClassVar[dict[str, str]] = {
        "predictions.decoder.weight": "albert.embeddings.word_embeddings.weight",
        "predictions.decoder.bias": "predictions.bias",
    }
    dense = At("predictions.dense")
    norm = At("predictions.LayerNorm")
    output_embeddings = At("predictions.decoder")
    lm_bias = At("predictions.bias")


class AlbertForMaskedLM(AlbertVocabularyHead, heads.MaskedLM):
    body_options: ClassVar = {"add_pooling_layer": False}


class AlbertForPreTrainingOutput(ModelOutput):
    loss: Tensor | None
    prediction_logits: Tensor
    sop_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class AlbertForPreTraining(AlbertVocabularyHead, heads.VocabularyHead):
    """The two tasks of ALBERT's pre-training: masked tokens, and the order of two texts."""

    order = At("sop_classifier.classifier")

    def build(self, config: Any) -> None:
        super().build(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.order = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        *args: Any,
        labels: Tensor | None = None,
        sentence_order_label: Tensor | None = None,
        **inputs: Any,
    ) -> AlbertForPreTrainingOutput:
        """labels (batch, length), -100 where nothing was masked; sentence_order_label (batch,), 1 if swapped."""
        with reading(first_tokens, labelled_tokens(labels)):
            out = self.run_body(*args, **inputs)
        prediction = self.score_tokens(out.last_hidden_state)
        order = self.order(self.dropout(out.pooler_output))
        loss = None
        if labels is not None and sentence_order_label is not None:
            loss = cross_entropy(prediction, labels) + cross_entropy(order, sentence_order_label)
        return AlbertForPreTrainingOutput(
            loss=loss,
            prediction_logits=prediction,
            sop_logits=order,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class AlbertForSequenceClassification(AlbertHead, heads.SequenceClassification):
    pass


class AlbertForMultipleChoice(AlbertHead, heads.MultipleChoice):
    pass


class AlbertForTokenClassification(AlbertHead, heads.TokenClassification):
    body_options: ClassVar = {"add_pooling_layer": False}


class AlbertForQuestionAnswering(AlbertHead, heads.QuestionAnswering):
    body_options: ClassVar = {"add_pooling_layer": False}
