"""In which numbers, on which device and with which attention a model is loaded; what nabi does not load at all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..checkpoint import Weights
from ..config import Config


def check_supported(config: Config) -> None:
    if config.quantization_config:
        method = config.quantization_config.get("quant_method", "unknown")
        raise ValueError(
            f"the checkpoint is quantised (quantization_config, method {method!r}), which nabi does not read: use "
            "the float checkpoint that it was made from"
        )


def check_attention(implementation: str | None) -> None:
    known = ("sdpa", "eager", "flash_attention_2", "flash_attention_3", "flex_attention")
    if implementation is not None and implementation not in known:
        raise ValueError(f"attn_implementation is {implementation!r}; known are {', '.join(known)}")


def resolve_dtype(wanted: Any, config: Config, weights: Weights | dict[str, Tensor] | None) -> torch.dtype | None:
    """The dtype to load in: None -> torch's default, "auto" -> the config's or the first weight's own."""
    if wanted is None:
        return torch.get_default_dtype()
    if wanted == "auto":
        wanted = config.torch_dtype
        if wanted is None and weights:
            return next((t.dtype for t in map(weights.__getitem__, weights) if t.is_floating_point()), None)
    if isinstance(wanted, str):
        name, wanted = wanted, getattr(torch, wanted.removeprefix("torch."), None)
        if not isinstance(wanted, torch.dtype):
            raise ValueError(f"dtype is {name!r}; expected 'auto', a torch.dtype, or a name such as 'float32'")
    if wanted is not None and not isinstance(wanted, torch.dtype):
        raise TypeError(f"dtype is a {type(wanted).__name__}; expected 'auto', a torch.dtype, or its name")
    if wanted is not None and not wanted.is_floating_point:
        raise ValueError(f"dtype is {wanted}; expected one of floating-point numbers, such as torch.float32")
    return wanted


def single_device(device_map: Any) -> torch.device:
    """The one device that a device_map names; nabi keeps a model in one place."""
    if isinstance(device_map, dict):
        places = set(map(str, device_map.values()))
        if len(places) != 1:
            raise ValueError(f"device_map spreads the model over {', '.join(sorted(places))}; nabi takes one device")
        device_map = next(iter(device_map.values()))
    if device_map in ("auto", "balanced", "sequential"):
        device_map = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(device_map)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device_map is {str(device)!r}, but torch finds no CUDA device here: leave it out")
    return device
