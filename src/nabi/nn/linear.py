"""Matrix products by the quickest kernel there is.

On a CPU torch multiplies float32 with MKL, which is slow for few rows and on processors of other makers. oneDNN,
which torch carries too, takes a half to a third of the time for the sizes of a language model; it only starts later.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

_WORTH_IT = 1 << 20  # multiplications from which oneDNN's longer start (10 µs) is made up for: measured on AVX2
_onednn: Any = (
    torch.ops.mkldnn._linear_pointwise.default
    if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    else None
)


def linear(module: Any, x: Tensor) -> Tensor:
    """module(x). A plain nn.Linear that nobody has hooked into goes through `multiply`."""
    if type(module) is not nn.Linear or module._forward_hooks or module._forward_pre_hooks or _has_any_global_hook():
        return module(x)
    if "forward" in vars(module):  # somebody has put their own in its place
        return module(x)
    return multiply(x, module.weight, module.bias)


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (…, in) times weight (out, in), of any strides, plus bias: F.linear, by oneDNN where that is quicker."""
    quicker = (
        _onednn is not None
        and x.is_cpu
        and not torch.is_grad_enabled()  # its kernel has no backward pass
        and x.dtype is weight.dtype is torch.float32
        and type(weight) in (nn.Parameter, Tensor)  # not a quantised tensor, which multiplies by itself
        and x.numel() // max(x.shape[-1], 1) * weight.numel() >= _WORTH_IT
        and not (torch.compiler.is_compiling() or torch.jit.is_tracing() or torch.is_autocast_enabled("cpu"))
    )
    return _onednn(x, weight, bias, "none", [], "") if quicker else F.linear(x, weight, bias)
