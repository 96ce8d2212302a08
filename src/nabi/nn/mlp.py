"""The feed-forward half of a block, as functions of a block with the roles up, down and perhaps gate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .linear import linear

if TYPE_CHECKING:
    from .block import Block
    from .context import Context

Activation = Callable[[Tensor], Tensor]


def gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


def gelu_clipped(x: Tensor) -> Tensor:
    return F.gelu(x).clamp(-10, 10)


def laplace(x: Tensor) -> Tensor:
    return 0.5 * (1 + torch.erf((x - 0.707107) / (0.282095 * math.sqrt(2))))


def squared_relu(x: Tensor) -> Tensor:
    return F.relu(x).square()


def identity(x: Tensor) -> Tensor:
    return x


# Names as they stand in config.json.
ACTIVATIONS: dict[str, Activation] = {
    "gelu": F.gelu,
    "gelu_python": F.gelu,
    "gelu_new": gelu_tanh,
    "gelu_fast": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "gelu_accurate": gelu_tanh,
    "gelu_10": gelu_clipped,
    "quick_gelu": quick_gelu,
    "relu": F.relu,
    "relu2": squared_relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "silu": F.silu,
    "swish": F.silu,
    "mish": F.mish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "laplace": laplace,
    "linear": identity,
}


def activation_function(name: str) -> Activation:
    """The function behind a config's activation name; an unknown name is a ValueError."""
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r} in the config; known are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def plain(block: Block, x: Tensor, context: Context) -> Tensor:
    """down(act(up(x)))"""
    return linear(block.down, block.inner_dropout(block.activation(linear(block.up, x))))


def gated(block: Block, x: Tensor, context: Context) -> Tensor:
    """down(act(gate(x)) * up(x)), the GLU variants of arXiv:2002.05202"""
    inner = block.activation(linear(block.gate, x)) * linear(block.up, x)
    return linear(block.down, block.inner_dropout(inner))
