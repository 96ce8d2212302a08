"""The loss over sets of objects (arXiv:2005.12872): each object is matched with one prediction, and compared."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def weighted_sum(losses: dict[str, Tensor], config: Any) -> Tensor:
    weights = {
        "loss_ce": 1,
        "loss_bbox": config.bbox_loss_coefficient,
        "loss_giou": config.giou_loss_coefficient,
        "loss_mask": getattr(config, "mask_loss_coefficient", 0),
        "loss_dice": getattr(config, "dice_loss_coefficient", 0),
    }
    parts = [loss * weights[kind] for name, loss in losses.items() if (kind := name.rstrip("_0123456789")) in weights]
    return torch.stack(parts).sum()


def detection_losses(
    found: dict[str, Tensor], labels: Any, config: Any, masks: Tensor | None = None
) -> dict[str, Tensor]:
    """Each object is matched with the query that fits it best; then classes, boxes and masks are compared.

    found: logits (batch, queries, labels + 1), pred_boxes (batch, queries, 4). masks (batch, queries, height, width).
    """
    logits, boxes = found["logits"].float(), found["pred_boxes"].float()
    check_objects(labels, logits, masks is not None)
    classes = [each["class_labels"].to(logits.device).long() for each in labels]
    targets = [each["boxes"].to(boxes) for each in labels]
    pairs = [match(*each, config) for each in zip(logits, boxes, classes, targets, strict=True)]
    row = torch.cat([torch.full_like(query, i) for i, (query, _) in enumerate(pairs)])
    query = torch.cat([query for query, _ in pairs])
    objects = max(sum(map(len, classes)), 1)

    nothing = logits.shape[-1] - 1
    wanted = torch.full(logits.shape[:2], nothing, device=logits.device)
    wanted[row, query] = torch.cat([kind[i] for kind, (_, i) in zip(classes, pairs, strict=True)])
    weight = torch.ones(nothing + 1, device=logits.device)
    weight[nothing] = config.eos_coefficient
    right = torch.cat([box[i] for box, (_, i) in zip(targets, pairs, strict=True)])
    counted = (logits.argmax(-1) != nothing).sum(1).float()
    real = torch.tensor([len(kind) for kind in classes], device=logits.device, dtype=torch.float)
    losses = {
        "loss_ce": F.cross_entropy(logits.transpose(1, 2), wanted, weight),
        "loss_bbox": (boxes[row, query] - right).abs().sum() / objects,
        "loss_giou": (1 - generalized_iou(boxes[row, query], right).diagonal()).sum() / objects,
        "cardinality_error": F.l1_loss(counted, real),  # to look at; it has no gradient
    }
    if masks is not None:
        losses.update(mask_losses(masks[row, query].float(), [each["masks"] for each in labels], pairs, objects))
    return losses


def match(logits: Tensor, boxes: Tensor, classes: Tensor, targets: Tensor, config: Any) -> tuple[Tensor, Tensor]:
    """Queries and objects of one picture, paired so that the sum of all costs is the least there is."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise ImportError("the loss over objects needs scipy, to match them: pip install scipy") from None
    with torch.no_grad():
        cost = config.bbox_cost * torch.cdist(boxes, targets, p=1) - config.class_cost * logits.softmax(-1)[:, classes]
        cost = cost - config.giou_cost * generalized_iou(boxes, targets)
        worst = torch.finfo(cost.dtype).max
        cost = cost.nan_to_num(nan=worst, posinf=worst, neginf=worst)
        query, thing = linear_sum_assignment(cost.float().cpu().numpy())
    return torch.as_tensor(query, device=boxes.device), torch.as_tensor(thing, device=boxes.device)


def corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """(…, 4) of center and size -> the near and the far corner, (…, 2) each."""
    center, size = boxes[..., :2], boxes[..., 2:]
    return center - 0.5 * size, center + 0.5 * size


def generalized_iou(one: Tensor, other: Tensor) -> Tensor:
    """(n, 4) and (m, 4) -> (n, m): the shared part of two boxes, less what lies between them (arXiv:1902.09630)."""
    (near, far), (near2, far2) = corners(one[:, None]), corners(other[None])

    def area(low: Tensor, high: Tensor) -> Tensor:
        return (high - low).clamp(min=0).prod(-1)

    shared = area(torch.max(near, near2), torch.min(far, far2))
    union = area(near, far) + area(near2, far2) - shared
    hull = area(torch.min(near, near2), torch.max(far, far2))
    return shared / union - (hull - union) / hull


def mask_losses(masks: Tensor, targets: list[Tensor], pairs: Any, objects: int) -> dict[str, Tensor]:
    """Focal loss (arXiv:1708.02002) and Dice loss of masks (objects, height, width)."""
    height, width = (max(each.shape[axis] for each in targets) for axis in (1, 2))
    padded = [F.pad(each.to(masks), (0, width - each.shape[2], 0, height - each.shape[1])) for each in targets]
    right = torch.cat([each[i] for each, (_, i) in zip(padded, pairs, strict=True)]).flatten(1)
    scores = F.interpolate(masks[:, None], size=(height, width), mode="bilinear", align_corners=False).flatten(1)
    share = scores.sigmoid()
    wrong = share * (1 - right) + (1 - share) * right
    focal = F.binary_cross_entropy_with_logits(scores, right, reduction="none") * wrong**2
    focal = focal * (0.25 * right + 0.75 * (1 - right))
    dice = 1 - (2 * (share * right).sum(1) + 1) / (share.sum(1) + right.sum(1) + 1)
    return {"loss_mask": focal.mean(1).sum() / objects, "loss_dice": dice.sum() / objects}


def check_objects(labels: Any, logits: Tensor, with_masks: bool) -> None:
    names = ["class_labels", "boxes", *(["masks"] if with_masks else [])]
    rows, kinds = len(logits), logits.shape[-1] - 1
    if not isinstance(labels, (list, tuple)) or len(labels) != rows:
        raise ValueError(f"labels are one dictionary for each of the {rows} pictures, with {', '.join(names)}")
    for i, each in enumerate(labels):
        lacking = [name for name in names if name not in each]
        if lacking:
            raise ValueError(f"labels[{i}] lacks {', '.join(lacking)}; it has {', '.join(each) or 'nothing'}")
        classes, boxes = each["class_labels"], each["boxes"]
        if tuple(boxes.shape) != (len(classes), 4) or bool((boxes[:, 2:] < 0).any()):
            raise ValueError(
                f"boxes of labels[{i}] have shape {tuple(boxes.shape)}; expected ({len(classes)}, 4): center x, "
                "center y, width and height, as shares of the picture"
            )
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < kinds:
            raise ValueError(
                f"class_labels of labels[{i}] are {classes.tolist()}; the model has {kinds} classes from 0"
            )
