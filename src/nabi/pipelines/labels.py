"""From logits to labels with scores: what all classifications share."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from torch import Tensor


class ClassificationFunction(enum.Enum):
    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"
    NONE = "none"


def classification_function(name: Any) -> ClassificationFunction:
    try:
        return name if isinstance(name, ClassificationFunction) else ClassificationFunction(str(name).lower())
    except ValueError:
        choices = ", ".join(repr(choice.value) for choice in ClassificationFunction)
        raise ValueError(f"function_to_apply is {name!r}; expected one of {choices}") from None


def fitting_function(config: Any) -> ClassificationFunction:
    """None for a regression, sigmoid for several labels at once or for a single one, else softmax."""
    if config.problem_type == "regression":
        return ClassificationFunction.NONE
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return ClassificationFunction.SIGMOID
    return ClassificationFunction.SOFTMAX


def check_top_k(top_k: Any) -> None:
    """ValueError for what is neither a number of labels nor None."""
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
        raise ValueError(f"top_k is {top_k!r}; expected a number of 1 or more, or None")


def class_logits(model: Any, outputs: Any, things: str, loader: str) -> dict[str, Tensor]:
    """The logits (batch, labels) of a model's outputs; TypeError for a model that has none."""
    logits = getattr(outputs, "logits", None)
    if logits is None or logits.dim() != 2:
        raise TypeError(
            f"{type(model).__name__} gives no logits (batch, labels), so it cannot classify {things}: load the "
            f"checkpoint with {loader}"
        )
    return {"logits": logits}


def scored_labels(logits: Tensor, function: ClassificationFunction, config: Any) -> list[dict[str, Any]]:
    """Logits (1, labels) -> a label and its score for each, in the order of the labels."""
    scores = logits[0].float()
    if function is ClassificationFunction.SIGMOID:
        scores = scores.sigmoid()
    elif function is ClassificationFunction.SOFTMAX:
        scores = scores.softmax(dim=-1)
    names = config.id2label
    return [{"label": name_of(names, number), "score": score} for number, score in enumerate(scores.tolist())]


def best_first(scores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(scores, key=lambda one: one["score"], reverse=True)


def name_of(labels: Mapping[int, str], number: int) -> str:
    """A label's name in the model's config; LABEL_3 where it has none."""
    return labels.get(number, f"LABEL_{number}")
