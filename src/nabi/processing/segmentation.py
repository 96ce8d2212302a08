"""Queries of a model that predicts a mask and a class for each -> maps of segments. For DETR and its kin."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)


def semantic(logits: Tensor, masks: Tensor, sizes: Any = None) -> list[tuple[Tensor, Tensor]]:
    """For each image the class of every pixel (height, width), and the scores (classes, height, width)."""
    import torch

    scores = torch.einsum("bqc,bqhw->bchw", logits.softmax(-1)[..., :-1], masks.sigmoid())
    check_sizes(sizes, len(scores))
    rows = [row if sizes is None else enlarged(row, sizes[index]) for index, row in enumerate(scores)]
    return [(row.argmax(dim=0), row) for row in rows]


def segments(
    logits: Tensor,
    masks: Tensor,
    *,
    threshold: float,
    mask_threshold: float,
    overlap_mask_area_threshold: float,
    fused: Collection[int],
    sizes: Any = None,
) -> list[dict[str, Any]]:
    """For each image `segmentation`, (height, width) with a segment's id in every pixel and 0 where there is none, and
    `segments_info`. A map of -1 means that no query is sure enough.
    """
    import torch

    nothing = logits.shape[-1] - 1
    check_sizes(sizes, len(logits))
    check_threshold("threshold", threshold)
    check_threshold("mask_threshold", mask_threshold)
    check_threshold("overlap_mask_area_threshold", overlap_mask_area_threshold)
    scores, labels = logits.softmax(-1).max(-1)
    results = []
    for index, (score, label, mask) in enumerate(zip(scores, labels, masks.sigmoid(), strict=True)):
        keep = label.ne(nothing) & (score > threshold)
        size = tuple(mask.shape[-2:]) if sizes is None else as_pair(sizes[index])
        if not keep.any():
            results.append({"segmentation": torch.zeros(size) - 1, "segments_info": []})
            continue
        mask = mask[keep] if sizes is None else enlarged(mask[keep], size)
        weighted = mask * score[keep].view(-1, 1, 1)
        segmentation, found = _join(
            weighted, score[keep], label[keep], mask_threshold, overlap_mask_area_threshold, fused
        )
        results.append({"segmentation": segmentation, "segments_info": found})
    return results


def _join(
    masks: Tensor,
    scores: Tensor,
    labels: Tensor,
    mask_threshold: float,
    overlap_mask_area_threshold: float,
    fused: Collection[int],
) -> tuple[Tensor, list[dict[str, Any]]]:
    """Each pixel belongs to the query with the strongest mask; a query left with too little of its mask is dropped."""
    import torch

    owner = masks.argmax(0)
    segmentation = torch.zeros(masks.shape[-2:], dtype=torch.int32, device=masks.device)
    found: list[dict[str, Any]] = []
    first_of: dict[int, int] = {}  # class whose segments are one -> its id
    last = 0
    for query, label in enumerate(labels.tolist()):
        own = owner == query
        area, whole = own.sum(), (masks[query] >= mask_threshold).sum()
        if area == 0 or whole == 0 or (area / whole).item() <= overlap_mask_area_threshold:
            continue
        if label in first_of:
            number = first_of[label]
        else:
            number = last = last + 1
        if label in fused:
            first_of[label] = number
        segmentation[own] = number
        score = round(scores[query].item(), 6)
        found.append({"id": number, "label_id": label, "was_fused": label in fused, "score": score})
    return segmentation, found


def run_lengths(segmentation: Tensor) -> list[list[int]]:
    """For each value of a map, in order, its pixels as COCO's (start, length) pairs, counted from 1, row by row."""
    import torch

    runs = []
    for value in segmentation.unique():
        edges = torch.zeros(segmentation.numel() + 2, dtype=torch.int8)
        edges[1:-1] = (segmentation == value).flatten()
        changes = (edges[1:] != edges[:-1]).nonzero().flatten() + 1
        changes[1::2] -= changes[::2].clone()
        runs.append(changes.tolist())
    return runs


def enlarged(values: Tensor, size: Any) -> Tensor:
    """(channels, height, width) to another height and width, bilinear."""
    import torch

    return torch.nn.functional.interpolate(values[None], size=as_pair(size), mode="bilinear", align_corners=False)[0]


def as_pair(size: Any) -> tuple[int, int]:
    height, width = (int(edge) for edge in size)
    return height, width


def check_threshold(name: str, value: Any) -> None:
    try:
        number = float("nan") if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, RuntimeError):
        number = float("nan")
    if number != number:
        raise ValueError(f"{name}={value!r} is no number: give one from 0 to 1.")


def check_sizes(sizes: Any, images: int) -> None:
    if sizes is None:
        return
    if not hasattr(sizes, "__len__"):
        raise ValueError(f"target_sizes={sizes!r} is no list: give (height, width) of each image.")
    for index, size in enumerate(sizes):
        if not hasattr(size, "__len__") or len(size) != 2:
            shown = size.tolist() if hasattr(size, "tolist") else size
            raise ValueError(f"target_sizes[{index}]={shown!r} is no size: give (height, width) of each image.")
    if len(sizes) != images:
        raise ValueError(
            f"target_sizes has {len(sizes)} sizes, but the outputs have {images} images: give (height, width) of each."
        )
