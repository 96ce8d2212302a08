"""Image processors of the detectors DETR and YOLOS: padded batches with a mask, targets of COCO, boxes of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import coco, segmentation
from . import image_steps as steps
from .features import BatchFeature
from .image_processors import BILINEAR, IMAGENET, BaseImageProcessor, Options, flat_list, laid_out, padded_size
from .images import as_array

if TYPE_CHECKING:
    from torch import Tensor


class _Detector(BaseImageProcessor):
    """Pads batches and, with `annotations`, adds `labels`, one target for each image.

    `format`: "coco_detection" or "coco_panoptic". `do_convert_annotations` (as `do_normalize`): boxes as centre and
    size in parts of the padded image, else as corners in pixels.
    """

    default_to_square = False
    old_names = ("pad_and_return_pixel_mask",)
    own_options = ("format", "do_convert_annotations", "max_size")
    defaults = {
        "do_resize": True,
        "size": {"shortest_edge": 800, "longest_edge": 1333},
        "resample": BILINEAR,
        "do_normalize": True,
        "do_pad": True,
        "format": coco.DETECTION,
        **IMAGENET,
    }
    _makes_masks = False

    def __init__(self, **settings: Any) -> None:
        pads = settings.pop("pad_and_return_pixel_mask", None)  # an old file's name
        if pads is not None:
            settings.setdefault("do_pad", pads)
        if settings.get("do_convert_annotations") is None:
            normalizes = settings.get("do_normalize")
            settings["do_convert_annotations"] = True if normalizes is None else normalizes
        super().__init__(**settings)

    def _with_sizes(self, settings: dict[str, Any]) -> dict[str, Any]:
        longest = settings.pop("max_size", None)
        if isinstance(settings.get("size"), int):
            settings["size"] = steps.as_size(settings["size"], "size", False, 1333 if longest is None else longest)
        return super()._with_sizes(settings)

    def _options(self, given: dict[str, Any]) -> Options:
        o = super()._options(given)
        if o.do_center_crop:
            raise ValueError(
                f"do_center_crop=True: {type(self).__name__} does not crop, for boxes would not fit. Leave it out, "
                "or crop the image before."
            )
        return o

    def preprocess(  # type: ignore[override]
        self,
        images: Any,
        annotations: Any = None,
        return_segmentation_masks: bool | None = None,
        masks_path: str | Path | None = None,
        return_tensors: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """See the class. `annotations`: COCO's of each image; `return_segmentation_masks` adds `masks` to the targets
        (by default for panoptic ones), which `masks_path` holds for those.
        """
        o = self._options(options)
        arrays = [self._array(image, f"images[{index}]", o) for index, image in enumerate(flat_list(images))]
        targets: list[coco.Target | None] = [None] * len(arrays)
        if annotations is not None:
            listed = coco.check_annotations(annotations, len(arrays), getattr(o.format, "value", o.format))
            for index, (entry, array) in enumerate(zip(listed, arrays, strict=True)):
                height, width = array.shape[-2:]
                if o.format == coco.PANOPTIC:
                    with_masks = return_segmentation_masks is not False
                    targets[index] = coco.panoptic_target(entry, height, width, masks_path, with_masks)
                else:
                    targets[index] = coco.detection_target(entry, height, width, bool(return_segmentation_masks))
        pixels = [self._steps(array, f"images[{index}]", o) for index, array in enumerate(arrays)]
        for index, (target, array, image) in enumerate(zip(targets, arrays, pixels, strict=True)):
            if target is not None:
                targets[index] = self._followed(target, array, image, o)
        data: dict[str, Any] = {}
        if o.do_pad:
            size = padded_size(pixels, o.pad_size)
            targets = [
                target and coco.padded(target, image.shape[-2:], size, o.do_convert_annotations)
                for target, image in zip(targets, pixels, strict=True)
            ]
            if self._makes_masks:
                data["pixel_mask"] = [_mask(image, size) for image in pixels]
            pixels = self._padded(pixels, o)
        data["pixel_values"] = [laid_out(image, o) for image in pixels]
        batch = BatchFeature(data, return_tensors)
        if annotations is not None:
            batch["labels"] = [BatchFeature(target, return_tensors) for target in targets]
        return batch

    def __call__(self, images: Any, *args: Any, **options: Any) -> BatchFeature:
        return self.preprocess(images, *args, **options)

    def pad(
        self, images: Any, return_pixel_mask: bool | None = None, return_tensors: Any = None, **options: Any
    ) -> BatchFeature:
        """Pad images that are preprocessed already, as a collator does. `return_pixel_mask`: None as a call does it."""
        o = self._options(options)
        arrays = [
            as_array(image, f"images[{index}]", input_data_format=o.input_data_format)
            for index, image in enumerate(flat_list(images))
        ]
        size = padded_size(arrays, o.pad_size)
        data: dict[str, Any] = {"pixel_values": self._padded(arrays, o)}
        if self._makes_masks if return_pixel_mask is None else return_pixel_mask:
            data["pixel_mask"] = [_mask(image, size) for image in arrays]
        return BatchFeature(data, return_tensors)

    def _followed(self, target: coco.Target, array: np.ndarray, image: np.ndarray, o: Options) -> coco.Target:
        """The target after the image's steps."""
        if o.do_resize:
            target = coco.resized(target, array.shape[-2:], image.shape[-2:])
        return coco.as_fractions(target, *image.shape[-2:]) if o.do_convert_annotations else target

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Any = None
    ) -> list[dict[str, Tensor]]:
        """For each image `scores`, `labels` and `boxes` (x0, y0, x1, y1) of what is surer than `threshold`.

        Boxes are in pixels of `target_sizes`, (height, width) of each image, or in parts of the image without it.
        """
        import torch

        segmentation.check_sizes(target_sizes, len(outputs.logits))
        segmentation.check_threshold("threshold", threshold)
        scores, labels = outputs.logits.softmax(-1)[..., :-1].max(-1)
        x, y, width, height = outputs.pred_boxes.unbind(-1)
        boxes = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], dim=-1)
        if target_sizes is not None:
            sizes = torch.as_tensor([segmentation.as_pair(size) for size in target_sizes], device=boxes.device)
            boxes = boxes * sizes.to(boxes.dtype).flip(1).repeat(1, 2)[:, None]
        keep = scores > threshold
        return [
            {"scores": scores[row][keep[row]], "labels": labels[row][keep[row]], "boxes": boxes[row][keep[row]]}
            for row in range(len(scores))
        ]

    def post_process(self, outputs: Any, target_sizes: Any) -> list[dict[str, Tensor]]:
        """post_process_object_detection of everything, however unsure: what scripts of 2021 choose from themselves."""
        return self.post_process_object_detection(outputs, -1.0, target_sizes)


class DetrImageProcessor(_Detector):
    """Adds `pixel_mask`, 1 for pixels and 0 for padding."""

    model_input_names = ["pixel_values", "pixel_mask"]
    _makes_masks = True

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any = None, return_segmentation_scores: bool = False
    ) -> list[Any]:
        """For each image the class of every pixel, (height, width), of `target_sizes` where they are given.

        With `return_segmentation_scores=True` each is a BatchFeature with `segmentation` and `segmentation_scores`.
        """
        maps = segmentation.semantic(outputs.logits, outputs.pred_masks, target_sizes)
        if not return_segmentation_scores:
            return [classes for classes, _ in maps]
        return [BatchFeature({"segmentation": classes, "segmentation_scores": scores}) for classes, scores in maps]

    def post_process_instance_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        target_sizes: Any = None,
        return_coco_annotation: bool | None = False,
    ) -> list[dict[str, Any]]:
        """For each image `segmentation`, a map of segments' ids, and `segments_info` (id, label_id, was_fused, score).

        `return_coco_annotation=True` gives run lengths of each id instead of the map.
        """
        results = self.post_process_panoptic_segmentation(
            outputs, threshold, mask_threshold, overlap_mask_area_threshold, set(), target_sizes
        )
        if return_coco_annotation:
            for result in results:
                if result["segments_info"] or (result["segmentation"] >= 0).all():
                    result["segmentation"] = segmentation.run_lengths(result["segmentation"])
        return results

    def post_process_panoptic_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        label_ids_to_fuse: set[int] | None = None,
        target_sizes: Any = None,
    ) -> list[dict[str, Any]]:
        """The same, with all segments of a class among `label_ids_to_fuse` (by default none) as one."""
        return segmentation.segments(
            outputs.logits,
            outputs.pred_masks,
            threshold=threshold,
            mask_threshold=mask_threshold,
            overlap_mask_area_threshold=overlap_mask_area_threshold,
            fused=label_ids_to_fuse or set(),
            sizes=target_sizes,
        )


class YolosImageProcessor(_Detector):
    """Edges after resizing are multiples of 16, the model's patch. There is no mask: the model takes none."""

    def _output_size(self, height: int, width: int, size: steps.Size) -> tuple[int, int]:
        if "shortest_edge" not in size:
            return super()._output_size(height, width, size)
        exact = steps.limited_edge(height, width, size["shortest_edge"], size.get("longest_edge"))
        edge = round(exact)
        if width < height:
            new = int(exact * height / width), edge
        elif height == edge:
            new = height, width
        else:
            new = edge, int(exact * width / height)
        return max(new[0] // 16, 1) * 16, max(new[1] // 16, 1) * 16


def _mask(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(size, dtype=np.int64)
    mask[: image.shape[-2], : image.shape[-1]] = 1
    return mask
