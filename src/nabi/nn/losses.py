"""Losses of the heads. Label -100 counts for nothing, as everywhere in this field."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import Config

IGNORED = -100


def classification_loss(logits: Tensor, labels: Tensor | None, config: Config) -> Tensor | None:
    """The loss of config.problem_type, which is inferred at the first call and then kept.

    One label: mean squared error (regression). Integer labels: cross entropy (single label). Else: binary cross
    entropy of each label (multi-label). logits (batch, labels); labels (batch,) or (batch, labels).
    """
    if labels is None:
        return None
    check_tensor(labels, "labels")
    if config.problem_type is None:
        integers = labels.dtype in (torch.long, torch.int)
        several = "single_label_classification" if integers else "multi_label_classification"
        config.problem_type = "regression" if config.num_labels == 1 else several
    if config.problem_type == "regression":
        if labels.numel() != logits.numel():
            raise ValueError(
                f"labels have shape {tuple(labels.shape)}, but regression wants one number for each of the logits: "
                f"{tuple(logits.shape)}"
            )
        return F.mse_loss(logits, labels.to(logits.dtype).view(logits.shape))
    if config.problem_type == "single_label_classification":
        return cross_entropy(logits, labels)
    if config.problem_type == "multi_label_classification":
        if labels.shape != logits.shape:
            raise ValueError(
                f"labels have shape {tuple(labels.shape)}, but multi-label classification wants one number per label: "
                f"{tuple(logits.shape)}"
                + (f"; one class a text is a whole number, these are {labels.dtype}" if labels.dim() == 1 else "")
            )
        return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    raise ValueError(
        f"problem_type is {config.problem_type!r}; known are 'regression', 'single_label_classification' and "
        "'multi_label_classification'"
    )


def cross_entropy(logits: Tensor, labels: Tensor | None, num_items: Any = None) -> Any:
    """Mean cross entropy over all labels that count: logits (…, classes), labels (…). None without labels.

    num_items: divide the sum by this number instead, for a mean over several accumulated batches.
    """
    if labels is None:
        return None
    check_tensor(labels, "labels")
    classes = logits.shape[-1]
    if labels.is_floating_point():
        raise ValueError(
            f"labels hold numbers of {labels.dtype}, but classes are whole numbers, 0 to {classes - 1}; for values or "
            "several labels a text set config.problem_type to 'regression' or 'multi_label_classification'"
        )
    if labels.numel() * classes != logits.numel():
        remedy = ""
        if labels.dim() == 1 and logits.dim() == 3:
            remedy = "; this model answers for each token: one for a whole text is a ForSequenceClassification"
        elif labels.shape == logits.shape and labels.dim() == 2:
            remedy = "; for several labels a text set config.problem_type to 'multi_label_classification'"
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, the logits {tuple(logits.shape)}: one label each{remedy}"
        )
    check_labels(labels, classes)
    logits, labels = of_counting_labels(logits.reshape(-1, classes), labels.reshape(-1).to(logits.device).long())
    logits = logits.float()
    if num_items is None:
        return F.cross_entropy(logits, labels)
    return F.cross_entropy(logits, labels, reduction="sum") / num_items


def of_counting_labels(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Where most labels do not count, as when tokens are masked, the rows (…, classes) of those that do: a softmax over
    a vocabulary costs more than picking them. Else all (on the CPU only, where looking is free)."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or labels.device.type != "cpu":
        return logits, labels
    counting = (labels != IGNORED).nonzero().squeeze(1)
    if len(counting) > len(labels) // 2:
        return logits, labels
    return logits.index_select(0, counting), labels[counting]


def next_token_loss(logits: Tensor, labels: Tensor | None, num_items: Any = None) -> Tensor | None:
    """Cross entropy of each position's logits against the label of the position after it."""
    if labels is None:
        return None
    check_tensor(labels, "labels")
    shifted = F.pad(labels, (0, 1), value=IGNORED)[..., 1:]
    return cross_entropy(logits, shifted, num_items)


def span_loss(start: Tensor, end: Tensor, starts: Tensor | None, ends: Tensor | None) -> Tensor | None:
    """Mean of the losses of an answer's first and last position; positions beyond the text are ignored."""
    if starts is None or ends is None:
        return None
    length = start.shape[1]
    for name, positions in (("start_positions", starts), ("end_positions", ends)):
        check_tensor(positions, name)
        if positions.numel() != len(start):
            raise ValueError(f"{name} has shape {tuple(positions.shape)}; expected ({len(start)},), one for each text")

    def one(logits: Tensor, positions: Tensor) -> Tensor:
        positions = positions.squeeze(-1) if positions.dim() > 1 else positions
        return F.cross_entropy(logits, positions.clamp(0, length), ignore_index=length)

    return (one(start, starts) + one(end, ends)) / 2


def check_tensor(given: Any, name: str) -> None:
    if not isinstance(given, Tensor):
        raise TypeError(f"{name} is a {type(given).__name__}; expected a tensor, as torch.tensor({name})")


def check_labels(labels: Tensor, classes: int) -> None:
    """A label that names no class is a ValueError (looked up on the CPU only, where looking is free)."""
    if torch.compiler.is_compiling() or labels.device.type != "cpu" or labels.numel() == 0:
        return
    outside = labels[(labels != IGNORED) & ((labels < 0) | (labels >= classes))]
    if len(outside):
        raise ValueError(
            f"label {int(outside[0])} names no class: the model has {classes} classes (0 to {classes - 1}); set "
            f"num_labels, or {IGNORED} for positions that should not count"
        )
