"""image-segmentation: an image to its objects or regions, each with a label and a mask of its pixels.

image -> pixel_values (1, channels, height, width) -> logits (1, queries, labels + 1), masks (1, queries, height/4, …)
      -> [{"score": 0.99, "label": "cat", "mask": an image of black and white pixels}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..processing.images import pil
from .base import Steps
from .batching import KEPT
from .images import ImagePipeline, as_image, checked_timeout
from .labels import name_of
from .settings import check_fraction, check_names

if TYPE_CHECKING:
    from PIL.Image import Image

# Subtask -> the image processor's method that does it. The first that the processor has is the usual one.
METHODS = {
    "panoptic": "post_process_panoptic_segmentation",
    "instance": "post_process_instance_segmentation",
    "semantic": "post_process_semantic_segmentation",
}
THRESHOLDS = {"threshold": 0.9, "mask_threshold": 0.5, "overlap_mask_area_threshold": 0.5}


class ImageSegmentationPipeline(ImagePipeline):
    """Masks of what is in images, by a model of the kind …ForSegmentation.

    subtask: "panoptic" (each object and each region), "instance" (each object) or "semantic" (each class once, of all
    pixels, with None as its score); None: the first of them that the image processor can.
    threshold: how sure the model must be of a segment, 0.9. mask_threshold: from which value on a pixel belongs to a
    query's mask, 0.5. overlap_mask_area_threshold: the part of its mask that a segment must keep where others cover
    it, 0.5. Semantic maps have no thresholds. timeout: seconds for an image's URL.

        pipe("street.jpg")              [{"score", "label", "mask": 255 on the segment, 0 elsewhere; mode L}, …]
        pipe(["street.jpg", image])     a list of these
    """

    task = "image-segmentation"
    heads = ("AutoModelForImageSegmentation",)
    usual_batch_size = 1  # a map for each of 100 queries: one photograph fills the processor, and much memory
    read_ahead = 4

    def _sanitize_parameters(self, timeout: float | None = None, **settings: Any) -> Steps:
        check_names(self.task, settings, (*THRESHOLDS, "subtask", "timeout"))
        after = {name: settings[name] for name in THRESHOLDS if settings.get(name) is not None}
        for name, value in after.items():
            check_fraction(name, value)
        self._check_subtask(settings.get("subtask"))
        if "subtask" in settings:
            after["subtask"] = settings["subtask"]
        return checked_timeout(timeout), {}, after

    def _check_subtask(self, subtask: Any) -> None:
        """ValueError for a subtask that there is not or that the image processor cannot do; None is any."""
        if subtask not in (None, *METHODS):
            raise ValueError(f"subtask is {subtask!r}; expected one of {', '.join(map(repr, METHODS))}, or None")
        able = [name for name, method in METHODS.items() if hasattr(self.image_processor, method)]
        if not able:
            raise ValueError(
                f"{type(self.image_processor).__name__} makes no masks of a model's outputs: pass the image_processor "
                "of a model for segmentation, such as DetrImageProcessor"
            )
        if subtask not in (None, *able):
            raise ValueError(
                f"subtask is {subtask!r}, which {type(self.image_processor).__name__} cannot do; it can do "
                f"{', '.join(map(repr, able))}"
            )

    def preprocess(self, inputs: Any, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """One image -> pixel_values (1, channels, height, width), and its own size. Nothing is padded, for the model's
        masks would be of image and padding together."""
        image = as_image(inputs, timeout)
        return {**self.pixels_of(image, do_pad=False), KEPT: (image.height, image.width)}

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        outputs = self.model(**model_inputs)
        if "pred_masks" not in outputs:
            raise TypeError(
                f"{type(self.model).__name__} gives no masks: load a checkpoint that was trained for segmentation with "
                "AutoModelForImageSegmentation"
            )
        return {"logits": outputs["logits"].float(), "pred_masks": outputs["pred_masks"].float()}

    def postprocess(  # type: ignore[override]
        self, model_outputs: Mapping[str, Any], subtask: str | None = None, **thresholds: float
    ) -> list[dict[str, Any]]:
        """Logits and masks of one image -> its segments, masks of the size of the image itself."""
        found = SimpleNamespace(logits=model_outputs["logits"], pred_masks=model_outputs["pred_masks"])
        chosen = subtask or next(name for name, method in METHODS.items() if hasattr(self.image_processor, method))
        segment = getattr(self.image_processor, METHODS[chosen])
        names = self.model.config.id2label
        sizes = [model_outputs[KEPT]]
        if chosen == "semantic":
            (classes,) = segment(found, target_sizes=sizes)
            return [
                {"score": None, "label": name_of(names, label), "mask": mask_of(classes, label)}
                for label in classes.unique().tolist()
            ]
        (result,) = segment(found, **{**THRESHOLDS, **thresholds}, target_sizes=sizes)
        return [
            {
                "score": info["score"],
                "label": name_of(names, info["label_id"]),
                "mask": mask_of(result["segmentation"], info["id"]),
            }
            for info in result["segments_info"]
        ]


def mask_of(segmentation: Any, number: int) -> Image:
    """Where a map (height, width) has this number: an image of mode L, 255 there and 0 elsewhere."""
    mask: Image = pil().fromarray((segmentation == number).numpy().astype(np.uint8) * 255)
    return mask
