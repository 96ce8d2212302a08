"""text-classification: a text, or a pair, to one label of several, to several labels at once, or to a number.

{"text": "최고예요", "label": "긍정"}  ->  {"input_ids": […], "labels": 1}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...data.labels import are_measures, name_of, number_in
from ...data.rows import Rows
from .label_names import Labels
from .task import Encoded, Task, TaskSettings, inputs_of


class TextClassification(Task):
    """Measured by accuracy and F1; several labels at once by F1, numbers by mean squared error and correlation."""

    name = "text-classification"
    auto = "AutoModelForSequenceClassification"
    takes = frozenset({"max_length", "label_names", "multi_label", "regression"})

    def __init__(self, settings: TaskSettings) -> None:
        super().__init__(settings)
        if settings.multi_label and settings.regression:
            raise ValueError("multi_label and regression exclude each other: labels are names, or numbers to hit")
        self.regression = settings.regression
        self.labels: Labels | None = None

    def learn(self, train: Rows, config: Any) -> None:
        values = train["label"]
        several = self.settings.multi_label
        if not several and any(isinstance(value, (list, tuple)) for value in values):
            raise ValueError("labels are lists: with multi_label a text may have several labels")
        self.regression = self.regression or (
            not several and self.settings.label_names is None and are_measures(values)
        )
        if self.regression:
            self.best, self.greater_is_better = "mse", False
            self.libraries = ("scipy.stats",)
            return
        self.libraries = ("sklearn.metrics",)
        self.best, self.greater_is_better = "f1_micro" if several else "accuracy", True
        self.labels = Labels.of(
            [parts(value) for value in values] if several else values, self.settings.label_names, config
        )

    def config_keys(self) -> dict[str, Any]:
        if self.labels is None:
            return {"num_labels": 1, "problem_type": "regression"}
        kind = "multi_label_classification" if self.settings.multi_label else "single_label_classification"
        return {**self.labels.config_keys(), "problem_type": kind}

    def describe(self) -> dict[int, str] | None:
        return None if self.labels is None else dict(enumerate(self.labels.names))

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        pairs = rows["text_pair"] if "text_pair" in rows.columns else None
        encoded = tokenizer(
            rows["text"], pairs, truncation=True, max_length=length, return_attention_mask=False, verbose=False
        )
        examples = [
            {**inputs_of(encoded, number), "labels": self.label_of(label, first + number)}
            for number, label in enumerate(rows["label"])
        ]
        return Encoded(examples, sum(bool(one.overflowing) for one in encoded.encodings))

    def label_of(self, value: Any, row: int) -> Any:
        """An id, a number, or 0.0 and 1.0 for each label."""
        if self.labels is None:
            number = number_in(value)
            if number is None:
                raise ValueError(f"row {row} has the label {value!r}, which is no number: a regression needs numbers")
            return number
        if not self.settings.multi_label:
            return self.labels.id_of(value, row)
        marked = [0.0] * len(self.labels.names)
        for part in parts(value):
            marked[self.labels.id_of(part, row)] = 1.0
        return marked

    def metrics(self, rows: Rows, encoded: Encoded, tokenizer: Any) -> Callable[..., dict[str, Any]]:
        from ..metrics import metric

        if self.labels is None:
            return metric(["mse", "pearson", "spearmanr"])
        names = ["f1_micro", "f1_macro", "accuracy"] if self.settings.multi_label else ["accuracy", "f1"]
        return metric(names, id2label=self.describe())


def parts(value: Any) -> list[str]:
    """Several labels: a list, or names with commas between them; an empty text has none."""
    if isinstance(value, (list, tuple)):
        return [name_of(one) for one in value]
    return [part.strip() for part in name_of(value).split(",") if part.strip()]
