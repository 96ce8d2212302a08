"""ELECTRA (arXiv:2003.10555): BERT's blocks on smaller embeddings; a discriminator and a generator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ..nn import heads
from ..nn.mlp import activation_function
from ..nn.packing import reading, real_tokens
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At, open_rooms
from ..nn.text_encoder import TextEncoder
from ..outputs import ModelOutput
from .bert import BertBlock, BertConfig, BertPreTrainedModel


class ElectraConfig(BertConfig):
    model_type = "electra"
    no_effect = BertConfig.no_effect | {"generator_size", "generator_hidden_size"}  # of the other half in pre-training

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_last_dropout: float = 0.1


class ElectraPreTrainedModel(PreTrainedModel):
    config_class = ElectraConfig
    base_model_prefix = "electra"
    renames = BertPreTrainedModel.renames


class ElectraModel(TextEncoder, ElectraPreTrainedModel):
    block_class = BertBlock
    word_embeddings = At("embeddings.word_embeddings")
    projection = At("embeddings_project")
    blocks = At("encoder.layer")

    def __init__(self, config: Any) -> None:
        super().__init__(config, add_pooling_layer=False)


class ElectraHead(ElectraPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = ElectraModel


class ElectraGenerator(ElectraHead):
    ties: ClassVar[dict[str, str]] = {"generator_lm_head.weight": "electra.embeddings.word_embeddings.weight"}
    dense = At("generator_predictions.dense")
    norm = At("generator_predictions.LayerNorm")
    output_embeddings = At("generator_lm_head")

    def head_activation(self, config: Any) -> str:
        return "gelu"


class ElectraForMaskedLM(ElectraGenerator, heads.MaskedLM):
    pass


class ElectraForCausalLM(ElectraGenerator, heads.TransformedCausalLM):
    pass


class ElectraForPreTrainingOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


def replaced(holder: Any, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """(batch, length, hidden) -> (batch, length): how likely each token was replaced, above 0 for yes."""
    return holder.score(activation(holder.dense(x))).squeeze(-1)


class ElectraForPreTraining(ElectraHead, heads.HeadModel):
    """The discriminator: was this token replaced?"""

    dense = At("discriminator_predictions.dense")
    score = At("discriminator_predictions.dense_prediction")

    def build(self, config: Any) -> None:
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.score = nn.Linear(config.hidden_size, 1)
        self.activation = activation_function(config.hidden_act)
        open_rooms(self, "dense", partial(replaced, activation=self.activation))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ElectraForPreTrainingOutput:
        """logits (batch, length), above 0 for a replaced token; labels (batch, length) of 0 and 1."""
        with reading(*([real_tokens] if labels is not None else [])):
            out = self.run_body(input_ids, attention_mask, *args, **inputs)
        logits = replaced(self, out.last_hidden_state, self.activation)
        loss = None
        if labels is not None:
            real = slice(None) if attention_mask is None else attention_mask.reshape(logits.shape) == 1
            loss = F.binary_cross_entropy_with_logits(logits[real], labels[real].float())
        return ElectraForPreTrainingOutput(
            loss=loss, logits=logits, hidden_states=out.hidden_states, attentions=out.attentions
        )


class ElectraForSequenceClassification(ElectraHead, heads.FirstTokenClassification):
    activation = "gelu"


class ElectraForMultipleChoice(ElectraHead, heads.MultipleChoice):
    reads = ()

    def build(self, config: Any) -> None:
        self.sequence_summary = heads.SequenceSummary(config, config.hidden_size)
        self.classifier = nn.Linear(config.hidden_size, 1)

    def text_vector(self, out: ModelOutput) -> Tensor:
        return self.sequence_summary(out.last_hidden_state)


class ElectraForTokenClassification(ElectraHead, heads.TokenClassification):
    pass


class ElectraForQuestionAnswering(ElectraHead, heads.QuestionAnswering):
    pass
