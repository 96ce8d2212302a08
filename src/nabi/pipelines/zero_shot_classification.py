"""zero-shot-classification: a text to scores for labels that the model was never trained on.

Each label makes a hypothesis, and a model of natural language inference says whether the text entails it:

"축구 경기가 열렸다" + "This example is 스포츠." -> logits (1, contradiction | neutral | entailment), for each label
    -> {"sequence": …, "labels": ["스포츠", "정치"], "scores": [0.9, 0.1]}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .base import Pipeline, Steps
from .settings import check_names, longest_text
from .text_classification import described

logger = logging.getLogger(__name__)

SETTINGS = ("candidate_labels", "hypothesis_template", "multi_label", "multi_class")


class ZeroShotClassificationPipeline(Pipeline):
    """Scores for any labels, by a model of the kind …ForSequenceClassification that was trained on NLI.

    candidate_labels: a list, or a string with commas between them.
    hypothesis_template ("This example is {}."): a label goes in the place of {}; write it in the model's language.
    multi_label (multi_class of old): several labels may fit, so each has a score of its own between 0 and 1; else the
    scores of all labels add up to 1.
    A text that is too long is cut; the hypothesis never is.

        pipe("text", ["a", "b"])                       {"sequence", "labels", "scores"}, best first
        pipe(["text", …], candidate_labels="a, b")     a list of them
    """

    task = "zero-shot-classification"
    heads = ("AutoModelForSequenceClassification",)

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        labels = self.model.config.label2id
        if self.entailment_id == -1:
            logger.warning(
                "No label of the model begins with 'entail' (%s), so its last one is taken for entailment: if it is "
                "another, set model.config.label2id",
                ", ".join(sorted(labels, key=labels.__getitem__)),
            )

    @property
    def entailment_id(self) -> int:
        """The number of the label that says that the text entails the hypothesis; -1 if none is called so."""
        labels = self.model.config.label2id.items()
        return next((number for label, number in labels if label.lower().startswith("entail")), -1)

    def __call__(self, inputs: Any = None, *labels: Any, **settings: Any) -> Any:  # type: ignore[override]
        """See the class. The labels may stand second, without their name; the text may be called `sequences`."""
        inputs = settings.pop("sequences", inputs)
        if labels:
            if len(labels) > 1 or "candidate_labels" in settings:
                raise TypeError(f"after the text come the labels alone, as one list; this is left over: {labels!r}")
            settings["candidate_labels"] = labels[0]
        return super().__call__(inputs, **settings)

    def _sanitize_parameters(
        self,
        candidate_labels: str | list[str] | None = None,
        hypothesis_template: str | None = None,
        multi_label: bool | None = None,
        multi_class: bool | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, SETTINGS)
        before: dict[str, Any] = {}
        if candidate_labels is not None:
            before["candidate_labels"] = checked_labels(candidate_labels)
        if hypothesis_template is not None:
            before["hypothesis_template"] = checked_template(hypothesis_template)
        if multi_class is not None:
            logger.warning("multi_class is the old name of multi_label")
            multi_label = multi_class
        return before, {}, {} if multi_label is None else {"multi_label": multi_label}

    def preprocess(  # type: ignore[override]
        self,
        inputs: Any,
        candidate_labels: list[Any] | None = None,
        hypothesis_template: str = "This example is {}.",
    ) -> Iterator[dict[str, Any]]:
        """A text to a pair (1, length) for each label, the text and the hypothesis; kept: both."""
        if candidate_labels is None:
            raise ValueError("there are no labels to choose from: pass candidate_labels=['…', '…']")
        if not isinstance(inputs, str):
            raise TypeError(f"{described(inputs)} is no text: pass a string")
        if not inputs:
            raise ValueError("the text is empty, so there is nothing to classify")
        assert self.tokenizer is not None
        limit = longest_text(self.model, self.tokenizer)
        special = self.tokenizer.num_special_tokens_to_add(pair=True)
        for label in candidate_labels:
            hypothesis = hypothesis_template.format(label)
            length = len(self.tokenizer(hypothesis, add_special_tokens=False, verbose=False)["input_ids"])
            if limit is not None and length + special >= limit:
                raise ValueError(
                    f"the hypothesis of the label {label!r} has {length} tokens, which leaves no room for a text in "
                    f"the {limit} that the model reads: make label or hypothesis_template shorter"
                )
            encoded = self.tokenizer(inputs, hypothesis, truncation="only_first", max_length=limit, return_tensors="pt")
            yield {
                **{name: encoded[name] for name in self.tokenizer.model_input_names if name in encoded},
                "kept": {"label": label, "sequence": inputs},
            }

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        if self._model_takes is not None and "use_cache" in self._model_takes:
            model_inputs["use_cache"] = False
        logits = getattr(self.model(**model_inputs), "logits", None)
        if logits is None or logits.dim() != 2 or logits.shape[1] < 2:
            raise TypeError(
                f"{type(self.model).__name__} gives no logits (batch, labels) with entailment and contradiction: load "
                "a checkpoint that was trained on NLI with AutoModelForSequenceClassification"
            )
        return {"logits": logits}

    def postprocess(  # type: ignore[override]
        self, model_outputs: list[dict[str, Any]], multi_label: bool = False
    ) -> dict[str, Any]:
        """Logits (1, labels of NLI) of each candidate -> candidates and scores, best first."""
        logits = torch.cat([part["logits"] for part in model_outputs]).float()
        entailment = self.entailment_id
        if multi_label or len(logits) == 1:
            scores = logits[:, [-1 if entailment == 0 else 0, entailment]].softmax(-1)[:, 1].tolist()
        else:
            scores = logits[:, entailment].softmax(-1).tolist()
        ranked = sorted(range(len(scores)), key=lambda i: (scores[i], i), reverse=True)
        return {
            "sequence": model_outputs[0]["kept"]["sequence"],
            "labels": [model_outputs[i]["kept"]["label"] for i in ranked],
            "scores": [scores[i] for i in ranked],
        }


def checked_labels(labels: Any) -> list[Any]:
    """The candidates of a list or of a string with commas."""
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",") if label.strip()]
    elif not hasattr(labels, "__iter__"):
        raise TypeError(f"candidate_labels is {described(labels)}; expected a list of labels")
    labels = list(labels)
    if not labels:
        raise ValueError("candidate_labels is empty: name one label or more")
    for number, label in enumerate(labels):
        if label is None or label == "":
            raise ValueError(f"candidate label {number} is {label!r}: give it a name or leave it out")
    return labels


def checked_template(template: Any) -> str:
    """A template with a place for the label."""
    if not isinstance(template, str):
        raise TypeError(f"hypothesis_template is {described(template)}, and no text")
    try:
        if template.format("a") != template.format("b"):
            return template
        wrong = "has no {} where the label goes"
    except (IndexError, KeyError, ValueError) as error:
        wrong = f"cannot be filled in ({error})"
    raise ValueError(f"hypothesis_template {template!r} {wrong}: write it as 'This example is {{}}.'")
