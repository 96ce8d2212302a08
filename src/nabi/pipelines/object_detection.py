"""object-detection: an image to the objects in it, each with a label, a score and a box.

image -> pixel_values (1, channels, height, width) -> logits (1, queries, labels + 1), boxes (1, queries, 4)
      -> [{"score": 0.99, "label": "cat", "box": {"xmin": 13, "ymin": 52, "xmax": 314, "ymax": 470}}, …]
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from .base import Steps
from .batching import KEPT
from .images import ImagePipeline, as_image, checked_timeout
from .labels import name_of
from .settings import check_fraction, check_names

CORNERS = ("xmin", "ymin", "xmax", "ymax")


class ObjectDetectionPipeline(ImagePipeline):
    """Objects in images, by a model of the kind …ForObjectDetection.

    threshold: how sure the model must be of an object, 0.5 if it is left out. timeout: seconds for an image's URL.
    Images that have the same size after resizing run together, so none is padded for another's sake.

        pipe("street.jpg")              [{"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}, …]
        pipe(["street.jpg", image])     a list of these
    """

    task = "object-detection"
    heads = ("AutoModelForObjectDetection",)
    usual_batch_size = 4
    read_ahead = 4

    def _sanitize_parameters(
        self, threshold: float | None = None, timeout: float | None = None, **unknown: Any
    ) -> Steps:
        check_names(self.task, unknown, ("threshold", "timeout"))
        if threshold is None:
            return checked_timeout(timeout), {}, {}
        check_fraction("threshold", threshold)
        return checked_timeout(timeout), {}, {"threshold": threshold}

    def preprocess(self, inputs: Any, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """One image -> pixel_values (1, channels, height, width), the mask of real pixels, and its own size."""
        image = as_image(inputs, timeout)
        return {**self.pixels_of(image), KEPT: (image.height, image.width)}

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        outputs = self.model(**model_inputs)
        if "pred_boxes" not in outputs:
            raise TypeError(
                f"{type(self.model).__name__} gives no boxes, so it finds no objects: load the checkpoint with "
                "AutoModelForObjectDetection"
            )
        return {"logits": outputs["logits"].float(), "pred_boxes": outputs["pred_boxes"].float()}

    def postprocess(  # type: ignore[override]
        self, model_outputs: Mapping[str, Any], threshold: float = 0.5
    ) -> list[dict[str, Any]]:
        """Logits and boxes of one image -> what is surer than the threshold, boxes in pixels of the image itself."""
        assert self.image_processor is not None
        found = SimpleNamespace(logits=model_outputs["logits"], pred_boxes=model_outputs["pred_boxes"])
        (objects,) = self.image_processor.post_process_object_detection(found, threshold, [model_outputs[KEPT]])
        boxes = objects["boxes"].int().tolist()
        names = self.model.config.id2label
        return [
            {"score": score, "label": name_of(names, label), "box": dict(zip(CORNERS, box, strict=True))}
            for score, label, box in zip(objects["scores"].tolist(), objects["labels"].tolist(), boxes, strict=True)
        ]
