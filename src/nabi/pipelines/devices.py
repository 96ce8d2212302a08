"""Where a model runs, and what it takes."""

from __future__ import annotations

import inspect
from typing import Any

import torch


def accepted_inputs(model: Any) -> set[str] | None:
    """The names of the inputs that the model takes; None if it takes any."""
    if hasattr(model, "_arguments"):
        found: set[str] = model._arguments()
        return found
    for callee in (model.forward, getattr(getattr(model, "base_model", None), "forward", None)):
        if callee is None:
            return None
        parameters = inspect.signature(callee).parameters
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
            return set(parameters)
    return None


def place(model: Any, device: int | str | torch.device | None) -> torch.device:
    """Move the model where it shall be, and say where that is."""
    wanted = chosen_device(model, device)
    if model.device != wanted:
        try:
            model.to(wanted)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here: {str(error).splitlines()[0]} device='cpu' always works"
            ) from error
    return wanted


def chosen_device(model: Any, device: int | str | torch.device | None) -> torch.device:
    if isinstance(device, (str, torch.device)):
        try:
            return torch.device(device)
        except RuntimeError as error:
            raise ValueError(f"device={device!r} is no device: expected 'cpu', 'cuda', 'cuda:1', 'mps', …") from error
    if device is not None and (isinstance(device, bool) or not isinstance(device, int)):
        raise TypeError(f"device is a {type(device).__name__}; expected a number, a name or a torch.device")
    if device is not None and device < 0:
        return torch.device("cpu")
    if device is None and model.device.type != "cpu":
        return model.device
    accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None
    return torch.device("cpu") if accelerator is None else torch.device(accelerator, device or 0)
