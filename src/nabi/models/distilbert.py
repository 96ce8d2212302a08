"""DistilBERT (arXiv:1910.01108): a BERT without segments and pooler, under names of its own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.embeddings import TextEmbeddings
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.text_encoder import EncoderBlock, TextEncoder
from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions, ModelOutput
from .bert import BertPreTrainedModel


class DistilBertConfig(Config):
    model_type = "distilbert"
    aliases = {
        "hidden_size": "dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
        "intermediate_size": "hidden_dim",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    no_effect = Config.no_effect | {"tie_weights_"}
    layer_norm_eps = 1e-12  # not a key of config.json

    vocab_size: int = 30522
    max_position_embeddings: int = 512
    sinusoidal_pos_embds: bool = False
    n_layers: int = 6
    n_heads: int = 12
    dim: int = 768
    hidden_dim: int = 3072
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation: str = "gelu"
    initializer_range: float = 0.02
    qa_dropout: float = 0.1
    seq_classif_dropout: float = 0.2
    pad_token_id: int | None = 0

    def check(self) -> None:
        super().check()
        self.require("is_decoder", (False,), "this family only encodes")


class DistilBertBlock(EncoderBlock):
    q, k, v = At("attention.q_lin"), At("attention.k_lin"), At("attention.v_lin")
    o = At("attention.out_lin")
    norm_attn = At("sa_layer_norm")
    up, down = At("ffn.lin1"), At("ffn.lin2")
    norm_mlp = At("output_layer_norm")


class DistilBertPreTrainedModel(PreTrainedModel):
    config_class = DistilBertConfig
    base_model_prefix = "distilbert"
    renames = BertPreTrainedModel.renames

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, TextEmbeddings) and self.config.sinusoidal_pos_embds:
            weight = module.position_embeddings.weight
            weight.copy_(sinusoids(*weight.shape))
            weight.requires_grad_(False)


def sinusoids(positions: int, size: int) -> Tensor:
    """Fixed positions: sines in the even columns, cosines in the odd ones (arXiv:1706.03762)."""
    columns = torch.arange(size) // 2 * 2 / size
    angles = torch.arange(positions)[:, None] / 10000**columns
    return torch.where(torch.arange(size) % 2 == 0, angles.sin(), angles.cos())


class DistilBertModel(TextEncoder, DistilBertPreTrainedModel):
    block_class = DistilBertBlock
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("transformer.layer")

    def __init__(self, config: Any) -> None:
        super().__init__(config, add_pooling_layer=False)

    def make_embeddings(self, config: Any) -> TextEmbeddings:
        return TextEmbeddings(
            vocab_size=config.vocab_size,
            size=config.dim,
            positions=config.max_position_embeddings,
            segments=0,
            padding=config.pad_token_id,
            norm_eps=config.layer_norm_eps,
            dropout=config.dropout,
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """last_hidden_state (batch, length, dim); no segments: token_type_ids are not an input of this family."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )


class DistilBertHead(DistilBertPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = DistilBertModel


class DistilBertForMaskedLM(DistilBertHead, heads.MaskedLM):
    ties: ClassVar[dict[str, str]] = {"vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"}
    dense = At("vocab_transform")
    norm = At("vocab_layer_norm")
    output_embeddings = At("vocab_projector")

    def head_activation(self, config: Any) -> str:
        return config.activation


def pre_classified(model: heads.HeadModel, out: ModelOutput) -> Tensor:
    """The first token through a layer and ReLU."""
    return model.dropout(F.relu(model.pre_classifier(out.last_hidden_state[:, 0])))


class DistilBertForSequenceClassification(DistilBertHead, heads.SequenceClassification):
    text_vector = pre_classified

    def build(self, config: Any) -> None:
        super().build(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)

    def head_dropout(self, config: Any) -> float:
        return config.seq_classif_dropout


class DistilBertForMultipleChoice(DistilBertHead, heads.MultipleChoice):
    text_vector = pre_classified

    def build(self, config: Any) -> None:
        super().build(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)

    def head_dropout(self, config: Any) -> float:
        return config.seq_classif_dropout


class DistilBertForTokenClassification(DistilBertHead, heads.TokenClassification):
    def head_dropout(self, config: Any) -> float:
        return config.dropout


class DistilBertForQuestionAnswering(DistilBertHead, heads.QuestionAnswering):
    def build(self, config: Any) -> None:
        super().build(config)
        self.dropout = nn.Dropout(config.qa_dropout)
