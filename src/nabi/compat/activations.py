"""Activations by their names in config.json, as modules and as functions."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..nn.mlp import ACTIVATIONS, activation_function, gelu_tanh
from ..nn.mlp import quick_gelu as quick_gelu

gelu_new = gelu_fast = gelu_tanh
gelu = gelu_python = F.gelu
silu, mish = F.silu, F.mish


class _Activation(nn.Module):
    """A named function as a module."""

    name: str

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return activation_function(self.name)(input)


def _module(class_name: str, name: str) -> type[_Activation]:
    return type(class_name, (_Activation,), {"name": name, "__module__": __name__})


GELUActivation = _module("GELUActivation", "gelu")
NewGELUActivation = _module("NewGELUActivation", "gelu_new")
FastGELUActivation = _module("FastGELUActivation", "gelu_fast")
QuickGELUActivation = _module("QuickGELUActivation", "quick_gelu")
ReLUSquaredActivation = _module("ReLUSquaredActivation", "relu2")
LaplaceActivation = _module("LaplaceActivation", "laplace")
LinearActivation = _module("LinearActivation", "linear")
SiLUActivation = nn.SiLU
MishActivation = nn.Mish
_CLASSES: dict[str, type[nn.Module]] = {
    "gelu": GELUActivation,
    "gelu_new": NewGELUActivation,
    "gelu_fast": FastGELUActivation,
    "quick_gelu": QuickGELUActivation,
    "relu": nn.ReLU,
    "relu2": ReLUSquaredActivation,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "mish": nn.Mish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "laplace": LaplaceActivation,
    "linear": LinearActivation,
}


class _Modules(dict[str, nn.Module]):
    """`ACT2FN["gelu"]`: a new module each time; an unknown name is a KeyError that lists the known ones."""

    def __getitem__(self, name: str) -> nn.Module:
        if name not in ACTIVATIONS:
            raise KeyError(f"unknown activation {name!r}; known are {', '.join(ACTIVATIONS)}")
        return _CLASSES[name]() if name in _CLASSES else _module(f"Activation_{name}", name)()


ACT2FN = _Modules({name: nn.Identity() for name in ACTIVATIONS})
ACT2CLS = {name: _CLASSES.get(name) or _module(f"Activation_{name}", name) for name in ACTIVATIONS}


def get_activation(activation_string: str) -> nn.Module:
    return ACT2FN[activation_string]
