"""CamemBERT (arXiv:1911.03894): RoBERTa under another model_type."""

from __future__ import annotations

from . import roberta


class CamembertConfig(roberta.RobertaConfig):
    model_type = "camembert"
    also_reads = ("roberta", "xlm-roberta")

    vocab_size: int = 30522


class CamembertPreTrainedModel(roberta.RobertaPreTrainedModel):
    config_class = CamembertConfig


class CamembertModel(CamembertPreTrainedModel, roberta.RobertaModel):
    pass


class CamembertForMaskedLM(CamembertPreTrainedModel, roberta.RobertaForMaskedLM):
    body_class = CamembertModel


class CamembertForCausalLM(CamembertPreTrainedModel, roberta.RobertaForCausalLM):
    body_class = CamembertModel


class CamembertForSequenceClassification(CamembertPreTrainedModel, roberta.RobertaForSequenceClassification):
    body_class = CamembertModel


class CamembertForMultipleChoice(CamembertPreTrainedModel, roberta.RobertaForMultipleChoice):
    body_class = CamembertModel


class CamembertForTokenClassification(CamembertPreTrainedModel, roberta.RobertaForTokenClassification):
    body_class = CamembertModel


class CamembertForQuestionAnswering(CamembertPreTrainedModel, roberta.RobertaForQuestionAnswering):
    body_class = CamembertModel
