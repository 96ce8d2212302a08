"""zero-shot-image-classification: an image, and labels in words, to how well each label fits.

image -> pixel_values (1, channels, height, width)   \\
labels -> "This is a photo of 고양이." -> input_ids     > logits (1, labels) -> [{"score": 0.97, "label": "고양이"}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .images import ImagePipeline, as_image, checked_timeout, one_of
from .settings import check_names

SIGLIP = {"padding": "max_length", "max_length": 64, "truncation": True}  # how it was trained
OWN = ("candidate_labels", "hypothesis_template", "tokenizer_kwargs", "timeout")


class ZeroShotImageClassificationPipeline(ImagePipeline):
    """Scores of any labels for images, by a model that compares images with texts (CLIP, SigLIP).

    candidate_labels: the labels, a list or one text with commas; in the call or the constructor.
    hypothesis_template: the text that is made of a label; "{}" for labels that are sentences already.
    tokenizer_kwargs: options of the tokenizer, such as {"truncation": True}. timeout: seconds for an image's URL.
    CLIP's scores are shares of 1 among the labels. SigLIP's judge each label by itself, and may all be low.

        pipe("cat.jpg", candidate_labels=["고양이", "나비"])     [{"score", "label"}, …], best first
        pipe(["cat.jpg", image], candidate_labels=[…])          a list of these
    """

    task = "zero-shot-image-classification"
    heads = ("AutoModelForZeroShotImageClassification",)
    needs = ("tokenizer", "image_processor")

    def __call__(self, inputs: Any = None, candidate_labels: Any = None, **settings: Any) -> Any:
        """See the class."""
        inputs = one_of(inputs, settings, ("images", "image"), self.task)
        if candidate_labels is not None:
            settings["candidate_labels"] = candidate_labels
        elif "candidate_labels" not in self._settings[1]:
            check_names(self.task, settings, OWN)
            raise ValueError(f"{self.task} got no labels to choose from: candidate_labels=['cat', 'butterfly']")
        return super().__call__(inputs, **settings)

    def _sanitize_parameters(
        self,
        candidate_labels: Any = None,
        hypothesis_template: str | None = None,
        tokenizer_kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, OWN)
        forward: dict[str, Any] = {}
        if candidate_labels is not None:
            forward["candidate_labels"] = checked_labels(candidate_labels)
        if hypothesis_template is not None:
            if not isinstance(hypothesis_template, str) or "{}" not in hypothesis_template:
                raise ValueError(
                    f"hypothesis_template is {hypothesis_template!r}, with no {{}} where the label belongs, so that "
                    "all labels would be one text: write it as in 'This is a photo of {}.'"
                )
            forward["hypothesis_template"] = hypothesis_template
        if tokenizer_kwargs is not None:
            forward["tokenizer_kwargs"] = tokenizer_kwargs
        after = {"candidate_labels": forward["candidate_labels"]} if candidate_labels is not None else {}
        return checked_timeout(timeout), forward, after

    def preprocess(self, inputs: Any, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """One image -> pixel_values (1, channels, height, width). Labels are read once for a whole batch."""
        return self.pixels_of(as_image(inputs, timeout))

    def _forward(  # type: ignore[override]
        self,
        model_inputs: dict[str, Any],
        candidate_labels: list[str],
        hypothesis_template: str = "This is a photo of {}.",
        tokenizer_kwargs: dict[str, Any] | None = None,
    ) -> dict[str, Tensor]:
        """Pixels (batch, …) and labels -> logits (batch, labels)."""
        if not hasattr(self.model, "get_image_features"):
            raise TypeError(
                f"{type(self.model).__name__} does not compare images with texts: load a checkpoint such as CLIP's "
                "with AutoModelForZeroShotImageClassification"
            )
        assert self.tokenizer is not None
        texts = [hypothesis_template.replace("{}", label) for label in candidate_labels]
        options = {**(SIGLIP if self._judges_each else {"padding": True}), **(tokenizer_kwargs or {})}
        encoded = self._known_to_model(self.tokenizer(texts, **options, return_tensors="pt"))
        read = {name: value.to(self.device) for name, value in encoded.items()}
        logits = self.model(**read, **model_inputs).logits_per_image
        return {"logits": logits}

    def postprocess(  # type: ignore[override]
        self, model_outputs: Mapping[str, Tensor], candidate_labels: list[str]
    ) -> list[dict[str, Any]]:
        """Logits (1, labels) -> the labels with their scores, best first."""
        logits = model_outputs["logits"][0].float()
        scores = (logits.sigmoid() if self._judges_each else logits.softmax(dim=-1)).tolist()
        found = [{"score": score, "label": label} for score, label in zip(scores, candidate_labels, strict=True)]
        return sorted(found, key=lambda one: one["score"], reverse=True)

    @property
    def _judges_each(self) -> bool:
        """Whether the model was trained to judge each pair of image and text by itself, as SigLIP was."""
        return "siglip" in self.model.config.model_type

    def _width(self, size: int | None) -> int:
        return size or self.usual_batch_size  # only images are batched, and they need no padding token


def checked_labels(labels: Any) -> list[str]:
    """Labels as a list of texts; ValueError or TypeError for none, and for one that is no text or is empty."""
    listed = labels.split(",") if isinstance(labels, str) else labels
    try:
        listed = list(listed)
    except TypeError:
        raise TypeError(f"candidate_labels is {labels!r}; expected a list of texts") from None
    if not listed:
        raise ValueError("candidate_labels is an empty list: give the labels to choose from, such as ['cat', 'dog']")
    for number, label in enumerate(listed):
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"candidate_labels[{number}] is {label!r}; expected a text that is not empty")
    return [label.strip() for label in listed] if isinstance(labels, str) else listed
