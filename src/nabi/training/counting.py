"""How much a training has done: tokens, and floating point operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from .columns import unwrapped

if TYPE_CHECKING:
    from .trainer import Trainer

_weights: WeakKeyDictionary[Any, int] = WeakKeyDictionary()  # of models, counted once


def main_input(model: Any, inputs: Any) -> Tensor | None:
    """The input that a batch is measured by: input_ids, pixel_values, input_values, …"""
    return inputs.get(getattr(model, "main_input_name", "input_ids")) if isinstance(inputs, Mapping) else None


def floating_point_ops(model: Any, inputs: Any) -> int:
    """6 for each weight outside the embeddings and each token, forward and backward (arXiv:2001.08361)."""
    main = main_input(model, inputs)
    return 0 if main is None else 6 * main.numel() * weights_in(model)


def weights_in(model: Any) -> int:
    """How many numbers the model's weights are outside the embeddings; 0 for a model that cannot tell."""
    inner = unwrapped(model)
    if inner not in _weights and hasattr(inner, "num_parameters"):
        _weights[inner] = inner.num_parameters(exclude_embeddings=True)
    return _weights.get(inner, 0)


def count(trainer: Trainer, inputs: Any) -> None:
    """Add a micro-batch to what the state has counted."""
    trainer.state.total_flos += float(trainer.floating_point_ops(inputs))
    wanted, main = str(trainer.args.include_num_input_tokens_seen), main_input(trainer.model, inputs)
    if wanted == "no" or main is None:
        return
    mask = inputs.get("attention_mask") if wanted == "non_padding" else None
    seen = torch.tensor([main.numel() if mask is None else int(mask.sum())], device=trainer.args.device)
    trainer.state.num_input_tokens_seen += int(trainer.accelerator.gather(seen).sum())
