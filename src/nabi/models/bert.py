"""BERT (arXiv:1810.04805): a post-norm encoder with learned positions and segments."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.losses import cross_entropy
from ..nn.packing import first_tokens, labelled_tokens, reading
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.text_encoder import EncoderBlock, TextEncoder
from ..outputs import ModelOutput, NextSentencePredictorOutput


class EncoderConfig(Config):
    """The keys that text encoders of BERT's size and names share."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12


class BertConfig(EncoderConfig):
    model_type = "bert"
    no_effect = Config.no_effect | {"cell", "emb_size", "pre_trained", "structure", "training"}  # TinyBERT's notes

    type_vocab_size: int = 2
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    classifier_dropout: float | None = None

    def check(self) -> None:
        super().check()
        self.require("position_embedding_type", ("absolute", None), "use a checkpoint with absolute positions")


class BertBlock(EncoderBlock):
    q, k, v = At("attention.self.query"), At("attention.self.key"), At("attention.self.value")
    o = At("attention.output.dense")
    norm_attn = At("attention.output.LayerNorm")
    cross_q, cross_k = At("crossattention.self.query"), At("crossattention.self.key")
    cross_v, cross_o = At("crossattention.self.value"), At("crossattention.output.dense")
    norm_cross = At("crossattention.output.LayerNorm")
    up, down = At("intermediate.dense"), At("output.dense")
    norm_mlp = At("output.LayerNorm")


class BertPreTrainedModel(PreTrainedModel):
    config_class = BertConfig
    base_model_prefix = "bert"
    renames = ((r"LayerNorm\.gamma$", "LayerNorm.weight"), (r"LayerNorm\.beta$", "LayerNorm.bias"))


class BertModel(TextEncoder, BertPreTrainedModel):
    block_class: ClassVar[Any] = BertBlock
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("encoder.layer")


class BertHead(BertPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = BertModel


class BertVocabularyHead(BertHead):
    ties: ClassVar[dict[str, str]] = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    dense = At("cls.predictions.transform.dense")
    norm = At("cls.predictions.transform.LayerNorm")
    output_embeddings = At("cls.predictions.decoder")
    lm_bias = At("cls.predictions.bias")


class BertForMaskedLM(BertVocabularyHead, heads.MaskedLM):
    body_options: ClassVar = {"add_pooling_layer": False}


class BertLMHeadModel(BertVocabularyHead, heads.TransformedCausalLM):
    body_options: ClassVar = {"add_pooling_layer": False}


class BertForPreTrainingOutput(ModelOutput):
    loss: Tensor | None
    prediction_logits: Tensor
    seq_relationship_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


def both_scores(room: Any, sequence_output: Tensor, pooled_output: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of tokens and of the relation, by the room that holds both heads."""
    return room.predictions(sequence_output), room.seq_relationship(pooled_output)


class BertForPreTraining(BertVocabularyHead, heads.VocabularyHead):
    """The two tasks of BERT's pre-training: masked tokens, and whether the second text follows the first."""

    relation = At("cls.seq_relationship")

    def build(self, config: Any) -> None:
        super().build(config)
        self.relation = nn.Linear(config.hidden_size, 2)
        self.cls.does = both_scores

    def forward(
        self,
        *args: Any,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        **inputs: Any,
    ) -> BertForPreTrainingOutput:
        """labels (batch, length), -100 where nothing was masked; next_sentence_label (batch,), 0 if it follows."""
        with reading(first_tokens, labelled_tokens(labels)):
            out = self.run_body(*args, **inputs)
        prediction, relation = self.score_tokens(out.last_hidden_state), self.relation(out.pooler_output)
        return BertForPreTrainingOutput(
            loss=self.loss_of(prediction, relation, labels, next_sentence_label),
            prediction_logits=prediction,
            seq_relationship_logits=relation,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )

    def loss_of(
        self, prediction: Tensor, relation: Tensor, labels: Tensor | None, next_sentence_label: Tensor | None
    ) -> Any:
        if labels is None or next_sentence_label is None:
            return None
        return cross_entropy(prediction, labels) + cross_entropy(relation, next_sentence_label)


class BertForNextSentencePrediction(BertHead, heads.HeadModel):
    relation = At("cls.seq_relationship")

    def build(self, config: Any) -> None:
        self.relation = nn.Linear(config.hidden_size, 2)

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> NextSentencePredictorOutput:
        """logits (batch, 2): follows, does not follow; labels (batch,)."""
        with reading(first_tokens):
            out = self.run_body(*args, **inputs)
        logits = self.relation(out.pooler_output)
        return NextSentencePredictorOutput(
            loss=cross_entropy(logits, labels),
            logits=logits,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class BertForSequenceClassification(BertHead, heads.SequenceClassification):
    pass


class BertForMultipleChoice(BertHead, heads.MultipleChoice):
    pass


class BertForTokenClassification(BertHead, heads.TokenClassification):
    body_options: ClassVar = {"add_pooling_layer": False}


class BertForQuestionAnswering(BertHead, heads.QuestionAnswering):
    body_options: ClassVar = {"add_pooling_layer": False}
