"""From the name in TrainingArguments.optim to an optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..arguments.choices import OptimizerNames as Name
from .adafactor import Adafactor
from .adamw import AdamW
from .decay import decay_groups
from .libraries import LIBRARIES, Given, adam, fixed_rate, library_class, read_switch, taken, target_groups

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

# What optim_args may say to torch's own optimizers, and how it is read.
TORCH_SETTINGS: dict[Name, dict[str, Any]] = {
    Name.SGD: {"momentum": float, "dampening": float, "weight_decay": float, "nesterov": read_switch},
    Name.ADAGRAD: {"lr_decay": float, "weight_decay": float, "eps": float},
    Name.RMSPROP: {"momentum": float, "alpha": float, "eps": float, "weight_decay": float, "centered": read_switch},
}
TORCH_CLASSES = {Name.SGD: torch.optim.SGD, Name.ADAGRAD: torch.optim.Adagrad, Name.RMSPROP: torch.optim.RMSprop}


def make_optimizer(model: nn.Module | list[dict[str, Any]], args: TrainingArguments) -> Optimizer:
    """The optimizer that args.optim names, for a model or for parameter groups of your own.

    Of a model, biases and norms do not decay. GaLore, APOLLO and LOMO need the model itself. ImportError: the library
    of that optimizer is not installed. TypeError: optim_args has a setting that it does not take.
    """
    whole = model if isinstance(model, nn.Module) else None
    return assembled(*optimizer_class_and_settings(args, whole), model, args.weight_decay)


def assembled(
    cls: Any, settings: dict[str, Any], model: nn.Module | list[dict[str, Any]], weight_decay: float
) -> Optimizer:
    """The optimizer of the groups that its settings hold as "params", "model" or "optimizer_dict", else of a model."""
    if "params" in settings or "model" in settings:
        return cls(**settings)
    rest = dict(settings)
    groups = rest.pop("optimizer_dict", None) or model
    return cls(groups if isinstance(groups, list) else decay_groups(groups, weight_decay), **rest)


def optimizer_class_and_settings(
    args: TrainingArguments, model: nn.Module | None = None
) -> tuple[type[Optimizer], dict[str, Any]]:
    """The class and its settings; "params" or "model" is among them if the optimizer chooses its own parameters."""
    name = Name(args.optim)
    given = parse_optim_args(args.optim_args)
    settings: dict[str, Any] = {"lr": args.learning_rate}
    cls: Any
    if name in (Name.ADAMW_TORCH, Name.ADAMW_TORCH_FUSED):
        cls, settings = torch.optim.AdamW, {**settings, **adam(args, given)}
        if name == Name.ADAMW_TORCH_FUSED:
            settings["fused"] = True
    elif name == Name.ADAMW_HF:
        cls, settings = AdamW, {**settings, **adam(args, given)}
    elif name == Name.ADAFACTOR:
        cls, settings = Adafactor, {**settings, **fixed_rate(args, given)}
    elif name in TORCH_SETTINGS:
        known = {setting: (read, None) for setting, read in TORCH_SETTINGS[name].items()}
        cls, settings = TORCH_CLASSES[name], {**settings, **taken(given, known)}
    elif name.endswith("_layerwise"):
        whole = name.removesuffix("_layerwise")
        raise ValueError(
            f'optim="{name}" would step inside the backward pass, which this trainer does not; say "{whole}"'
        )
    else:
        cls, settings = library_class(name), {**settings, **settings_of_library(name, args, given, model)}
    if given:
        raise TypeError(f'optim="{name}" takes no {", ".join(given)} in optim_args')
    return cls, settings


def settings_of_library(name: Name, args: TrainingArguments, given: Given, model: nn.Module | None) -> dict[str, Any]:
    library = LIBRARIES[name]
    settings = library.settings(args, given)
    if library.of_targets is None and not library.takes_model:
        return settings
    if model is None:
        raise ValueError(f'optim="{name}" needs the model, and got parameter groups')
    if library.takes_model:
        return {**settings, "model": model}
    groups = target_groups(model, args.optim_target_modules, library.of_targets(args, given))  # type: ignore[misc]
    return {**settings, "params": groups}


def parse_optim_args(text: str | None) -> Given:
    """'momentum=0.9, nesterov=true' -> {"momentum": "0.9", "nesterov": "true"}"""
    given = {}
    for part in (text or "").split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name and equals and value:
            given[name] = value
        elif part.strip():
            raise ValueError(f"optim_args={text!r}: {part.strip()!r} is not of the form name=value")
    return given
