"""COCO's annotations -> the targets that a detection model learns from, and how they follow their image's steps.

A target has boxes as corners (x0, y0, x1, y1) in pixels until `as_fractions` makes them (centre x, centre y, width,
height) in parts of the image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import image_steps as steps
from .images import pil

DETECTION, PANOPTIC = "coco_detection", "coco_panoptic"
_WANTED = {
    DETECTION: "{'image_id': int, 'annotations': [{'bbox', 'category_id', 'area', …}, …]}",
    PANOPTIC: "{'image_id': int, 'file_name': str, 'segments_info': [{'id', 'category_id', …}, …]}",
}
_OF_OBJECTS, _OF_SEGMENTS = ("bbox", "category_id", "area"), ("id", "category_id", "iscrowd", "area")
NEAREST = 0

Target = dict[str, Any]


def check_annotations(annotations: Any, images: int, layout: str) -> list[Target]:
    """One annotation for each image, in a list. Raises ValueError that names the one which is none."""
    if layout not in _WANTED:
        raise ValueError(f"format={layout!r} is unknown: use '{DETECTION}' or '{PANOPTIC}'.")
    listed = [annotations] if isinstance(annotations, dict) else list(annotations)
    if len(listed) != images:
        raise ValueError(
            f"There are {images} images but {len(listed)} annotations: give one annotation for each image."
        )
    for index, entry in enumerate(listed):
        items = (
            entry.get("annotations" if layout == DETECTION else "segments_info") if isinstance(entry, dict) else None
        )
        named = isinstance(entry, dict) and ("image_id" in entry or (layout == PANOPTIC and "id" in entry))
        if not named or not isinstance(items, (list, tuple)) or not all(isinstance(item, dict) for item in items):
            shown = sorted(entry) if isinstance(entry, dict) else type(entry).__name__
            raise ValueError(f"annotations[{index}] ({shown}) is not of the format {layout!r}: {_WANTED[layout]}.")
        if layout == PANOPTIC and "file_name" not in entry:
            raise ValueError(f"annotations[{index}] has no 'file_name' of its mask: {_WANTED[layout]}.")
        needed = _OF_OBJECTS if layout == DETECTION else _OF_SEGMENTS
        for place, item in enumerate(items):
            lacking = [key for key in needed if key not in item]
            if lacking and not (layout == DETECTION and item.get("iscrowd")):
                raise ValueError(
                    f"annotations[{index}]: object {place} has no {lacking[0]!r}, only {sorted(item)}: give "
                    f"{_WANTED[layout]}."
                )
            if "bbox" in item and not _is_box(item["bbox"]):
                raise ValueError(
                    f"annotations[{index}]: the 'bbox' of object {place} is {item['bbox']!r}: give (left, top, width, "
                    "height) in pixels."
                )
    return listed


def _is_box(box: Any) -> bool:
    try:
        return np.asarray(box, dtype=np.float32).shape == (4,)
    except (TypeError, ValueError):
        return False


def detection_target(annotation: Target, height: int, width: int, with_masks: bool) -> Target:
    """Boxes within the image and without area are left out, and so are crowds."""
    objects = [item for item in annotation["annotations"] if item.get("iscrowd", 0) == 0]
    boxes = np.asarray([item["bbox"] for item in objects], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
    keep = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
    target = {
        "image_id": np.asarray([annotation["image_id"]], dtype=np.int64),
        "class_labels": np.asarray([item["category_id"] for item in objects], dtype=np.int64)[keep],
        "boxes": boxes[keep],
        "area": np.asarray([item["area"] for item in objects], dtype=np.float32)[keep],
        "iscrowd": np.asarray([item.get("iscrowd", 0) for item in objects], dtype=np.int64)[keep],
        "orig_size": np.asarray([height, width], dtype=np.int64),
    }
    if objects and "keypoints" in objects[0]:
        points = np.asarray([item["keypoints"] for item in objects], dtype=np.float32)[keep]
        target["keypoints"] = points.reshape(-1, 3) if len(points) else points
    if with_masks:
        target["masks"] = polygon_masks([item["segmentation"] for item in objects], height, width)[keep]
    return target


def polygon_masks(segmentations: list[Any], height: int, width: int) -> np.ndarray:
    """(objects, height, width), true within each object's polygons. COCO's own tool draws them."""
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise ImportError(
            "return_segmentation_masks=True draws COCO's polygons with pycocotools, which is not installed: "
            "pip install pycocotools."
        ) from error
    masks = np.zeros((len(segmentations), height, width), dtype=bool)
    for mask, polygons in zip(masks, segmentations, strict=True):
        drawn = coco.decode(coco.frPyObjects(polygons, height, width))
        mask[:] = drawn.reshape(height, width, -1).any(axis=2)
    return masks


def panoptic_target(
    annotation: Target, height: int, width: int, masks_path: str | Path | None, with_masks: bool
) -> Target:
    """From the image of masks `file_name` in the folder `masks_path`: each colour is a segment's id."""
    if masks_path is None:
        raise ValueError("Annotations of the format 'coco_panoptic' need masks_path=…, the folder of the mask images.")
    file = Path(masks_path, annotation["file_name"])
    if not file.is_file():
        raise FileNotFoundError(f"There is no mask image {str(file)!r}: check masks_path and its file_name.")
    size = np.asarray([height, width], dtype=np.int64)
    segments = annotation["segments_info"]
    with pil().open(file) as image:
        colours = np.asarray(image.convert("RGB"), dtype=np.int64)
    ids = colours @ np.array([1, 256, 256 * 256])
    masks = (ids == np.array([segment["id"] for segment in segments]).reshape(-1, 1, 1)).astype(np.uint8)

    def column(key: str, dtype: Any) -> np.ndarray:
        return np.asarray([segment[key] for segment in segments], dtype=dtype)

    target = {
        "image_id": np.asarray([annotation.get("image_id", annotation.get("id"))], dtype=np.int64),
        "size": size,
        "orig_size": size.copy(),
        "boxes": boxes_of_masks(masks),
        "class_labels": column("category_id", np.int64),
        "iscrowd": column("iscrowd", np.int64),
        "area": column("area", np.float32),
    }
    return {**target, "masks": masks} if with_masks else target


def boxes_of_masks(masks: np.ndarray) -> np.ndarray:
    """(masks, 4): the first and the last column and row that each mask touches."""
    boxes = np.zeros((len(masks), 4), dtype=np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = np.nonzero(mask)
        if len(rows):
            box[:] = columns.min(), rows.min(), columns.max(), rows.max()
        else:  # as one calculates it: no first, and so beyond every last
            box[:] = 1e8, 1e8, 0, 0
    return boxes


def resized(target: Target, old: tuple[int, int], new: tuple[int, int]) -> Target:
    """The target after its image of (height, width) `old` became `new`."""
    down, across = new[0] / old[0], new[1] / old[1]
    result = {**target, "size": np.asarray(new, dtype=np.int64)}
    result["boxes"] = target["boxes"] * np.asarray([across, down, across, down], dtype=np.float32)
    result["area"] = target["area"] * (across * down)
    if "masks" in target:
        masks = [steps.resize(mask[None].astype(np.uint8), new, NEAREST)[0] > 0 for mask in target["masks"]]
        result["masks"] = np.array(masks, dtype=bool).reshape(-1, *new)
    return result


def as_fractions(target: Target, height: int, width: int) -> Target:
    x0, y0, x1, y1 = np.moveaxis(target["boxes"], -1, 0)
    boxes = np.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], axis=-1)
    return {**target, "boxes": boxes / np.asarray([width, height, width, height], dtype=np.float32)}


def padded(target: Target, old: tuple[int, int], new: tuple[int, int], fractions: bool) -> Target:
    """The target after zeros were added below and to the right of its image."""
    if old == new:
        return target
    result = {**target, "size": np.asarray(new, dtype=np.int64)}
    if "masks" in target:
        result["masks"] = steps.pad(target["masks"], *new)
    if fractions:
        shrunk = np.asarray([old[1] / new[1], old[0] / new[0]] * 2)
        result["boxes"] = (target["boxes"] * shrunk).astype(target["boxes"].dtype)
    return result
