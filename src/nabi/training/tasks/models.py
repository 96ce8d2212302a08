"""The model that is to learn a task: loaded or made anew, its head for these labels, and which of its weights learn."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ... import auto
from ...nn.linear import Conv1D
from .label_names import own_names
from .task import Task


@dataclass(frozen=True)
class Made:
    """The model; the weights that are new in it; those of another shape in the checkpoint, as (name, disk, here); the
    labels of the checkpoint's head, if they are others and the head is new for that."""

    model: Any
    new: tuple[str, ...] = ()
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    other_labels: tuple[str, ...] = ()


def make_model(task: Task, name: str, from_scratch: bool, **options: Any) -> Made:
    """A model of the task's Auto class with the task's labels; from_scratch: of the same config, with random weights.

    options: as of from_pretrained (revision, local_files_only). ValueError if weights of the body do not fit.
    """
    config = auto.AutoConfig.from_pretrained(name, **options, **task.config_keys())
    kind = getattr(auto, task.auto)
    if from_scratch:
        return Made(kind.from_config(config))
    with no_reports():
        model, info = kind.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, output_loading_info=True, **options
        )
    reshaped = tuple(info["mismatched_keys"])
    of_body = [key for key, _, _ in reshaped if key.startswith(f"{model.base_model_prefix}.")]
    if of_body:
        raise ValueError(f"{name} has {', '.join(of_body[:3])} of another shape than its config.json says")
    other = () if reshaped or info["missing_keys"] else other_labels(task, name, options)
    if other:  # a head that means other things by its rows is worse than a new one
        with torch.no_grad():
            for head in heads(model):
                for module in reversed(list(getattr(model, head).modules())):
                    model.init_module(module)
    return Made(model, tuple(info["missing_keys"]), reshaped, other)


def other_labels(task: Task, name: str, options: dict[str, Any]) -> tuple[str, ...]:
    """The names of the checkpoint's labels, where it has such and the task's are others."""
    names = task.describe() or {}
    known = own_names(auto.AutoConfig.from_pretrained(name, **options))
    return tuple(known) if names and known and known != list(names.values()) else ()


@contextmanager
def no_reports() -> Iterator[None]:
    """Loading warns of a new head, which is meant here, and told by the caller."""
    logger = logging.getLogger("nabi.nn.loading")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def heads(model: Any) -> list[str]:
    """The modules beside the body that have weights."""
    return [
        name
        for name, module in model.named_children()
        if name != model.base_model_prefix and any(True for _ in module.parameters())
    ]


def freeze_body(model: Any, task: Task) -> None:
    """Only the head learns. ValueError where the head is a part of the language model."""
    if not task.own_head or not heads(model):
        raise ValueError(f"{task.name} has no head of its own that could learn alone: do not freeze the body")
    model.base_model.requires_grad_(False)


def lora_config(model: Any, task: Task, rank: int, alpha: int) -> Any:
    """Low-rank adapters (arXiv:2106.09685) for every linear layer of the body, GPT-2's Conv1D too; a head of its own
    learns as a whole.

    ImportError without peft; ValueError if the body has no linear layers.
    """
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise ImportError('adapters are made by peft: pip install "nabi[train]"') from error
    body = f"{model.base_model_prefix}."
    output = model.get_output_embeddings()
    layers = [
        name
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and name.startswith(body) and module is not output
    ]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no linear layers that adapters could be put on")
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=0.05,
        target_modules=layers,
        modules_to_save=heads(model) if task.own_head else None,
    )
