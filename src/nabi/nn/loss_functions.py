"""The losses of the heads as functions, under their names of version 4.46 and later: `model.loss_function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..config import Config
from .losses import classification_loss, cross_entropy, next_token_loss, span_loss


def fixed_cross_entropy(
    source: Tensor, target: Tensor, num_items_in_batch: Any = None, ignore_index: int = -100, **_: Any
) -> Tensor:
    """Mean cross entropy, or the sum divided by num_items_in_batch."""
    summed = F.cross_entropy(
        source, target, ignore_index=ignore_index, reduction="mean" if num_items_in_batch is None else "sum"
    )
    return summed if num_items_in_batch is None else summed / num_items_in_batch


def ForCausalLMLoss(
    logits: Tensor,
    labels: Tensor | None,
    vocab_size: int,
    num_items_in_batch: Any = None,
    ignore_index: int = -100,
    shift_labels: Tensor | None = None,
    **_: Any,
) -> Tensor | None:
    """Of each position's logits against the next label; shift_labels are labels already moved."""
    if shift_labels is not None:
        return cross_entropy(logits, shift_labels, num_items_in_batch)
    return next_token_loss(logits, labels, num_items_in_batch)


def ForMaskedLMLoss(logits: Tensor, labels: Tensor, vocab_size: int, num_items_in_batch: Any = None, **_: Any) -> Any:
    return cross_entropy(logits, labels, num_items_in_batch)


ForTokenClassification = ForMaskedLMLoss


def ForSequenceClassificationLoss(labels: Tensor, pooled_logits: Tensor, config: Config, **_: Any) -> Tensor | None:
    return classification_loss(pooled_logits, labels, config)


def ForQuestionAnsweringLoss(
    start_logits: Tensor, end_logits: Tensor, start_positions: Tensor, end_positions: Tensor, **_: Any
) -> Tensor | None:
    return span_loss(start_logits, end_logits, start_positions, end_positions)


def loss_of(model_class: type) -> Callable[..., Any]:
    """The loss of the head that a class, or one that it is made from, has by its name. TypeError if none has one."""
    for owner in model_class.__mro__:
        name = owner.__name__.replace("LMHeadModel", "ForCausalLM").replace("ForConditionalGeneration", "ForMaskedLM")
        for kind, loss in LOSS_MAPPING.items():
            if name.endswith(kind):
                return loss
    raise TypeError(f"{model_class.__name__} has no loss of its own: compute one from its output")


LOSS_MAPPING: dict[str, Callable[..., Any]] = {
    "ForCausalLM": ForCausalLMLoss,
    "ForMaskedLM": ForMaskedLMLoss,
    "ForQuestionAnswering": ForQuestionAnsweringLoss,
    "ForSequenceClassification": ForSequenceClassificationLoss,
    "ForTokenClassification": ForTokenClassification,
}
