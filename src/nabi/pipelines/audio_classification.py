"""audio-classification: a sound to labels with scores.

sound -> input_values (1, samples), or a spectrogram -> logits (1, labels) -> [{"label": "yes", "score": 0.97}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .batching import ALIKE
from .settings import check_names
from .sounds import SoundPipeline, read_sound
from .text_classification import ClassificationFunction, classification_function


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
            if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
                raise ValueError(f"top_k is {top_k!r}; expected a number of 1 or more, or None for every label")
            after["top_k"] = top_k
        if function_to_apply not in (None, "default"):
            after["function_to_apply"] = classification_function(function_to_apply)
        return {}, {}, after

    def preprocess(self, inputs: Any) -> dict[str, Any]:  # type: ignore[override]
        """One sound -> input_values (1, samples) or input_features (1, mel bins, frames)."""
        return self.hear(read_sound(inputs, self.rate).samples)

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Tensor]:  # type: ignore[override]
        model_inputs.pop(ALIKE, None)
        logits = getattr(self.model(**model_inputs), "logits", None)
        if logits is None or logits.dim() != 2:
            raise TypeError(
                f"{type(self.model).__name__} gives no logits (batch, labels), so it cannot classify sounds: load the "
                "checkpoint with AutoModelForAudioClassification"
            )
        return {"logits": logits}

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: Mapping[str, Tensor],
        function_to_apply: ClassificationFunction | None = None,
        top_k: int | None = None,
    ) -> list[dict[str, Any]]:
        """Logits (1, labels) -> the top_k labels with their scores."""
        logits = model_outputs["logits"][0].float()
        function = function_to_apply or self._fitting_function()
        if function is ClassificationFunction.SIGMOID:
            logits = logits.sigmoid()
        elif function is ClassificationFunction.SOFTMAX:
            logits = logits.softmax(dim=-1)
        names = self.model.config.id2label
        scores = [{"score": score, "label": names.get(i, f"LABEL_{i}")} for i, score in enumerate(logits.tolist())]
        return sorted(scores, key=lambda one: one["score"], reverse=True)[:top_k]

    def _fitting_function(self) -> ClassificationFunction:
        problem = self.model.config.problem_type
        if problem == "regression":
            return ClassificationFunction.NONE
        return (
            ClassificationFunction.SIGMOID
            if problem == "multi_label_classification"
            else ClassificationFunction.SOFTMAX
        )
