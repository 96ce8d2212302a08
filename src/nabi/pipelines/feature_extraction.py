"""feature-extraction: a text to the model's vectors of its tokens.

"좋은 영화" -> input_ids (1, length) -> last_hidden_state (1, length, hidden) -> the same in nested lists
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Pipeline, Steps
from .settings import check_names, longest_text
from .text_classification import described


class FeatureExtractionPipeline(Pipeline):
    """The hidden states of texts, by a model without a head; of one with a head, what that gives.

    return_tensors: True for a tensor; left out, nested lists of numbers.
    truncation: whether a text that is too long is cut. padding and tokenize_kwargs: settings of the tokenizer; a batch
    needs no padding, as each text has only its own vectors.

        pipe("text")           (1, length, hidden), special tokens among them
        pipe(["text", …])      a list of such, each as long as its text
    """

    task = "feature-extraction"
    heads = ("AutoModel",)

    def _sanitize_parameters(
        self,
        truncation: bool | str | None = None,
        padding: bool | str | None = None,
        tokenize_kwargs: Mapping[str, Any] | None = None,
        return_tensors: bool | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, ("truncation", "padding", "tokenize_kwargs", "return_tensors"))
        before = dict(tokenize_kwargs or {})
        for name, value in (("truncation", truncation), ("padding", padding)):
            if value is not None and name in before:
                raise ValueError(
                    f"{name}={value!r} and tokenize_kwargs={tokenize_kwargs!r} say the same thing twice: give "
                    "one of them"
                )
            if value is not None:
                before[name] = value
        return before, {}, {} if return_tensors is None else {"return_tensors": return_tensors}

    def preprocess(self, inputs: Any, **for_tokenizer: Any) -> dict[str, Any]:
        """A text to its ids (1, length); kept: the length."""
        if not isinstance(inputs, str):
            raise TypeError(f"{described(inputs)} is no text: pass a string")
        assert self.tokenizer is not None
        if for_tokenizer.get("truncation") and not for_tokenizer.get("max_length"):
            for_tokenizer["max_length"] = longest_text(self.model, self.tokenizer)
        encoded = self.tokenizer(inputs, **for_tokenizer, return_tensors="pt")
        length = encoded["input_ids"].shape[-1]
        if not length:
            raise ValueError(f"the tokenizer finds no token in {inputs!r}, so there is nothing to make vectors of")
        return {**encoded, "kept": length}

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        return {"features": self.model(**model_inputs)[0]}

    def postprocess(self, model_outputs: Mapping[str, Any], return_tensors: bool = False) -> Any:  # type: ignore[override]
        """Hidden states (1, longest of the batch, hidden) -> (1, length, hidden)."""
        features, length = model_outputs["features"], model_outputs["kept"]
        if features.dim() == 3:  # one vector for each token, those of the batch's padding too
            features = features[:, -length:] if self.pads_left else features[:, :length]
        return features if return_tensors else features.tolist()
