"""The families: one file per model_type with its config, its names on disk and its choices.

This table is what the rest of nabi knows of them; a family is added by its file and its entry here.
"""

from __future__ import annotations

# Module -> its public classes.
FAMILIES: dict[str, list[str]] = {
    "bert": """BertConfig BertModel BertForPreTraining BertLMHeadModel BertForMaskedLM BertForNextSentencePrediction
        BertForSequenceClassification BertForMultipleChoice BertForTokenClassification BertForQuestionAnswering
        BertPreTrainedModel""".split(),
}
