"""image-classification: an image to labels with scores.

image -> pixel_values (1, channels, height, width) -> logits (1, labels) -> [{"label": "cat", "score": 0.97}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .images import ImagePipeline, as_image, checked_timeout, name_of
from .settings import check_names
from .text_classification import ClassificationFunction, classification_function


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
        if top_k is not None:
            if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
                raise ValueError(f"top_k is {top_k!r}; expected a number of 1 or more")
            after["top_k"] = top_k
        if function_to_apply not in (None, "default"):
            after["function_to_apply"] = classification_function(function_to_apply)
        return checked_timeout(timeout), {}, after

    def preprocess(self, inputs: Any, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """One image -> pixel_values (1, channels, height, width)."""
        return self.pixels_of(as_image(inputs, timeout))

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Tensor]:  # type: ignore[override]
        logits = getattr(self.model(**model_inputs), "logits", None)
        if logits is None or logits.dim() != 2:
            raise TypeError(
                f"{type(self.model).__name__} gives no logits (batch, labels), so it cannot classify images: load the "
                "checkpoint with AutoModelForImageClassification"
            )
        return {"logits": logits}

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: Mapping[str, Tensor],
        function_to_apply: ClassificationFunction | None = None,
        top_k: int = 5,
    ) -> list[dict[str, Any]]:
        """Logits (1, labels) -> the top_k labels with their scores."""
        logits = model_outputs["logits"][0].float()
        function = function_to_apply or self._fitting_function()
        if function is ClassificationFunction.SIGMOID:
            logits = logits.sigmoid()
        elif function is ClassificationFunction.SOFTMAX:
            logits = logits.softmax(dim=-1)
        names = self.model.config.id2label
        scores = [{"label": name_of(names, i), "score": score} for i, score in enumerate(logits.tolist())]
        return sorted(scores, key=lambda one: one["score"], reverse=True)[:top_k]

    def _fitting_function(self) -> ClassificationFunction:
        config = self.model.config
        if config.problem_type == "regression":
            return ClassificationFunction.NONE
        several = config.problem_type == "multi_label_classification"
        return ClassificationFunction.SIGMOID if several or config.num_labels == 1 else ClassificationFunction.SOFTMAX
