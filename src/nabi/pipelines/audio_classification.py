"""audio-classification: a sound to labels with scores.

sound -> input_values (1, samples), or a spectrogram -> logits (1, labels) -> [{"label": "yes", "score": 0.97}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .batching import ALIKE
from .labels import (
    ClassificationFunction,
    best_first,
    check_top_k,
    class_logits,
    classification_function,
    scored_labels,
)
from .settings import check_names
from .sounds import SoundPipeline, read_sound


class AudioClassificationPipeline(SoundPipeline):
    """Labels and scores for sounds, by a model with such a head (Wav2Vec2, HuBERT, Whisper).

    top_k: how many labels per sound, best first; None, or left out: all of them.
    function_to_apply: "softmax", "sigmoid" or "none"; left out, what fits the model: none for a regression, sigmoid for
    several labels at once, else softmax.

        pipe("yes.wav")                                   [{"score", "label"}, …]
        pipe([array, {"array": …, "sampling_rate": …}])   [[{"score", "label"}, …], […]]
    """

    task = "audio-classification"
    heads = ("AutoModelForAudioClassification",)
    needs = ("feature_extractor",)

    def _sanitize_parameters(
        self,
        top_k: int | str | None = "",
        function_to_apply: str | ClassificationFunction | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, ("top_k", "function_to_apply"))
        after: dict[str, Any] = {}
        if top_k != "":
            check_top_k(top_k)
            after["top_k"] = top_k
        if function_to_apply not in (None, "default"):
            after["function_to_apply"] = classification_function(function_to_apply)
        return {}, {}, after

    def preprocess(self, inputs: Any) -> dict[str, Any]:  # type: ignore[override]
        """One sound -> input_values (1, samples) or input_features (1, mel bins, frames)."""
        return self.hear(read_sound(inputs, self.rate).samples)

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Tensor]:  # type: ignore[override]
        model_inputs.pop(ALIKE, None)
        return class_logits(self.model, self.model(**model_inputs), "sounds", "AutoModelForAudioClassification")

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: Mapping[str, Tensor],
        function_to_apply: ClassificationFunction | None = None,
        top_k: int | None = None,
    ) -> list[dict[str, Any]]:
        """Logits (1, labels) -> the top_k labels with their scores."""
        function = function_to_apply or self._fitting_function()
        scores = scored_labels(model_outputs["logits"], function, self.model.config)
        return best_first(scores)[:top_k]

    def _fitting_function(self) -> ClassificationFunction:
        problem = self.model.config.problem_type
        if problem == "regression":
            return ClassificationFunction.NONE
        return (
            ClassificationFunction.SIGMOID
            if problem == "multi_label_classification"
            else ClassificationFunction.SOFTMAX
        )
