"""image-classification: an image to labels with scores.

image -> pixel_values (1, channels, height, width) -> logits (1, labels) -> [{"label": "cat", "score": 0.97}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .images import ImagePipeline, as_image, checked_timeout
from .labels import (
    ClassificationFunction,
    best_first,
    check_top_k,
    class_logits,
    classification_function,
    fitting_function,
    scored_labels,
)
from .settings import check_names


class ImageClassificationPipeline(ImagePipeline):
    """Labels and scores for images, by a model of the kind …ForImageClassification.

    top_k: how many labels per image, best first; 5 if it is left out.
    function_to_apply: "sigmoid", "softmax" or "none"; left out, what fits the model: none for a regression, sigmoid
    for several labels at once or for a single one, else softmax.
    timeout: seconds for an image's URL.

        pipe("cat.jpg")               [{"label", "score"}, …]
        pipe(["cat.jpg", image])      [[{"label", "score"}, …], […]]
    """

    task = "image-classification"
    heads = ("AutoModelForImageClassification",)

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        function_to_apply: str | ClassificationFunction | None = None,
        timeout: float | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, ("top_k", "function_to_apply", "timeout"))
        after: dict[str, Any] = {}
        check_top_k(top_k)
        if top_k is not None:
            after["top_k"] = top_k
        if function_to_apply not in (None, "default"):
            after["function_to_apply"] = classification_function(function_to_apply)
        return checked_timeout(timeout), {}, after

    def preprocess(self, inputs: Any, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """One image -> pixel_values (1, channels, height, width)."""
        return self.pixels_of(as_image(inputs, timeout))

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Tensor]:  # type: ignore[override]
        return class_logits(self.model, self.model(**model_inputs), "images", "AutoModelForImageClassification")

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: Mapping[str, Tensor],
        function_to_apply: ClassificationFunction | None = None,
        top_k: int = 5,
    ) -> list[dict[str, Any]]:
        """Logits (1, labels) -> the top_k labels with their scores."""
        function = function_to_apply or fitting_function(self.model.config)
        scores = scored_labels(model_outputs["logits"], function, self.model.config)
        return best_first(scores)[:top_k]
