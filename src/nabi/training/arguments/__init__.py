"""TrainingArguments: the names of versions 4 and 5, read, checked and turned into one set of values."""

from .training_arguments import Seq2SeqTrainingArguments, TrainingArguments

__all__ = ["Seq2SeqTrainingArguments", "TrainingArguments"]
