"""Small questions about a module's parameters, and loading a file of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..checkpoint import Weights
from ..nn.loading import NoFills


@contextmanager
def no_init_weights(_enable: bool = True) -> Iterator[None]:
    """Inside, random initial values of modules made on the meta device are skipped."""
    with NoFills():
        yield


def load_state_dict(checkpoint_file: str | os.PathLike[str], **_: Any) -> dict[str, torch.Tensor]:
    """The tensors of a .safetensors or .bin file; of a .bin nothing but tensors is read."""
    return dict(Weights([Path(checkpoint_file)]).items())


def unwrap_model(model: nn.Module, recursive: bool = False) -> nn.Module:
    """The model inside wrappers for several devices."""
    while isinstance(inner := getattr(model, "module", None), nn.Module):
        model = inner
    return model


def get_parameter_device(parameter: nn.Module) -> torch.device:
    return next(parameter.parameters()).device


def get_parameter_dtype(parameter: nn.Module) -> torch.dtype:
    return next(each.dtype for each in parameter.parameters() if each.is_floating_point())


def dtype_byte_size(dtype: torch.dtype) -> float:
    """Bytes of a number."""
    return 1 / 8 if dtype == torch.bool else dtype.itemsize
