"""auto_find_batch_size: half the batch until it fits into memory, the same examples in each update all the while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch

from . import deepspeed

if TYPE_CHECKING:
    from .trainer import Trainer

T = TypeVar("T")
logger = logging.getLogger(__name__)


def until_it_fits(trainer: Trainer, train: Callable[[], T]) -> T:
    """Call train(), and again with half the rows and twice the accumulation after each failure for want of memory."""
    from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

    args = trainer.args
    weights = {name: tensor.detach().cpu().clone() for name, tensor in trainer.model.state_dict().items()}
    while True:
        try:
            return train()
        except (RuntimeError, MemoryError) as error:
            size = args.per_device_train_batch_size
            wanting = isinstance(error, MemoryError) or should_reduce_batch_size(error)
            if not wanting or size == 1:
                raise
        trainer.optimizer = trainer.lr_scheduler = None
        trainer.accelerator.free_memory()
        clear_device_cache(garbage_collection=True)
        with torch.no_grad(), deepspeed.whole_weights(trainer.model, write=True):
            trainer.model.load_state_dict(weights)  # as it was before the first step
        args.per_device_train_batch_size = size // 2
        args.gradient_accumulation_steps *= 2
        logger.warning(
            "%d rows do not fit into memory: going on with %d, accumulated over %d batches",
            size,
            args.per_device_train_batch_size,
            args.gradient_accumulation_steps,
        )
