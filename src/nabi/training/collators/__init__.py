"""Collators: a list of examples -> one batch of tensors. One file per kind."""

from .completion import DataCollatorForCompletionOnlyLM
from .default import DefaultDataCollator, default_data_collator
from .examples import DataCollatorMixin
from .flattening import DataCollatorWithFlattening
from .language_modeling import DataCollatorForLanguageModeling
from .multiple_choice import DataCollatorForMultipleChoice
from .padding import DataCollatorWithPadding
from .permutation import DataCollatorForPermutationLanguageModeling
from .sentence_order import DataCollatorForSOP
from .seq2seq import DataCollatorForSeq2Seq
from .span_corruption import DataCollatorForSpanCorruption, span_corruption_lengths
from .token_classification import DataCollatorForTokenClassification
from .whole_words import DataCollatorForWholeWordMask

__all__ = [
    "DataCollatorForCompletionOnlyLM",
    "DataCollatorForLanguageModeling",
    "DataCollatorForMultipleChoice",
    "DataCollatorForPermutationLanguageModeling",
    "DataCollatorForSOP",
    "DataCollatorForSeq2Seq",
    "DataCollatorForSpanCorruption",
    "DataCollatorForTokenClassification",
    "DataCollatorForWholeWordMask",
    "DataCollatorMixin",
    "DataCollatorWithFlattening",
    "DataCollatorWithPadding",
    "DefaultDataCollator",
    "default_data_collator",
    "span_corruption_lengths",
]
