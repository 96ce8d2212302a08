"""text-classification, also called sentiment-analysis: a text, or a pair of texts, to labels with scores.

"이 영화는 최고예요!" -> input_ids (1, length) -> logits (1, labels) -> {"label": "positive", "score": 0.98}
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Pipeline, Steps
from .labels import (
    ClassificationFunction,
    best_first,
    check_top_k,
    class_logits,
    classification_function,
    fitting_function,
    scored_labels,
)
from .settings import check_names, longest_text

logger = logging.getLogger(__name__)

TOKENIZER_SETTINGS = frozenset(
    """add_special_tokens max_length pad_to_max_length pad_to_multiple_of padding padding_side
    return_attention_mask return_token_type_ids split_special_tokens stride text_pair truncation verbose""".split()
)


class TextClassificationPipeline(Pipeline):
    """Labels and scores for texts, by a model of the kind …ForSequenceClassification.

    top_k: how many labels per text, best first; None for all. Left out, the best label alone.
    function_to_apply: "sigmoid", "softmax" or "none"; left out, what fits the model: none for a regression, sigmoid
    for several labels at once or for a single one, else softmax.
    truncation, padding, max_length, … go to the tokenizer.

        pipe("text")                            [{"label", "score"}]
        pipe({"text": …, "text_pair": …})       {"label", "score"}
        pipe(["text", …])                       [{"label", "score"}, …]
        pipe(["text", …], top_k=2)              [[{"label", "score"}, {…}], …]
        pipe(line for line in file)             an iterator of {"label", "score"}
    """

    task = "text-classification"
    heads = ("AutoModelForSequenceClassification",)

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class. A text longer than the model's positions is a ValueError unless truncation=True."""
        result = super().__call__(inputs, **settings)
        # As people know it, one string gives a list of one, unless the call itself says top_k.
        return [result] if isinstance(inputs, str) and "top_k" not in settings else result

    def _sanitize_parameters(
        self,
        function_to_apply: str | ClassificationFunction | None = None,
        top_k: int | str | None = "",
        return_all_scores: bool | None = None,
        **for_tokenizer: Any,
    ) -> Steps:
        check_names(self.task, for_tokenizer, TOKENIZER_SETTINGS | {"top_k", "function_to_apply"})
        after: dict[str, Any] = {}
        if top_k != "":
            check_top_k(top_k)
            after = {"top_k": top_k, "nested": True}
        elif return_all_scores is not None:
            logger.warning("return_all_scores is the old name: say top_k=None for every label, top_k=1 for the best")
            after = {"top_k": None if return_all_scores else 1}
        if function_to_apply not in (None, "default"):
            after["function_to_apply"] = classification_function(function_to_apply)
        return for_tokenizer, {}, after

    def preprocess(self, inputs: Any, **for_tokenizer: Any) -> dict[str, Any]:
        """A text, or {"text", "text_pair"}, to input ids and what goes with them, each (1, length)."""
        if for_tokenizer.get("truncation") and not for_tokenizer.get("max_length"):
            for_tokenizer["max_length"] = longest_text(self.model, self.tokenizer)
        assert self.tokenizer is not None
        encoded = self.tokenizer(**{**for_tokenizer, **text_and_pair(inputs)}, return_tensors="pt")
        if encoded["input_ids"].shape[-1] == 0:
            raise ValueError(f"the tokenizer finds no token in {inputs!r}, so there is nothing to classify")
        return encoded

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        if self._model_takes is not None and "use_cache" in self._model_takes:
            model_inputs["use_cache"] = False  # a decoder that only scores needs no keys and values kept
        outputs = self.model(**model_inputs)
        return class_logits(self.model, outputs, "texts", "AutoModelForSequenceClassification")

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: Mapping[str, Tensor],
        function_to_apply: ClassificationFunction | None = None,
        top_k: int | None = 1,
        nested: bool = False,
    ) -> Any:
        """Logits (1, labels) -> {"label", "score"}, or a list of them if top_k was asked for."""
        function = function_to_apply or fitting_function(self.model.config)
        scores = scored_labels(model_outputs["logits"], function, self.model.config)
        if top_k == 1 and not nested:
            return max(scores, key=lambda one: one["score"])
        if nested:
            scores = best_first(scores)
        return scores if top_k is None else scores[:top_k]


def text_and_pair(inputs: Any) -> dict[str, str]:
    """The tokenizer's arguments for one item; TypeError or ValueError if it is no text and no pair."""
    if isinstance(inputs, str):
        return {"text": inputs}
    if isinstance(inputs, Mapping):
        return pair_of_mapping(inputs)
    if isinstance(inputs, (list, tuple)):
        if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) and len(inputs[0]) == 2:
            return pair_of_mapping({"text": inputs[0][0], "text_pair": inputs[0][1]})  # as of old: [[text, pair]]
        raise ValueError(f'{inputs!r} is a list where one text is due; write a pair as {{"text": …, "text_pair": …}}')
    raise TypeError(f"{described(inputs)} is no text: pass a string, or a mapping with 'text' and 'text_pair'")


def pair_of_mapping(inputs: Mapping[str, Any]) -> dict[str, str]:
    unknown = [str(key) for key in inputs if key not in ("text", "text_pair")]
    if "text" not in inputs or unknown:
        raise ValueError(f"a mapping has the keys 'text' and perhaps 'text_pair', but this one has {list(inputs)}")
    for key, value in inputs.items():
        if not isinstance(value, str) and not (key == "text_pair" and value is None):
            raise TypeError(f"{key!r} is {described(value)}, and no text")
    return dict(inputs)


def described(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, float) and value != value:
        return "nan (so pandas writes a missing cell: drop or fill it)"
    if isinstance(value, bytes):
        return "a bytes object (decode it first)"
    return f"{value!r} of the type {type(value).__name__}"
