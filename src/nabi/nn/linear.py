"""Matrix products by the quickest kernel there is.

On a CPU torch multiplies float32 with MKL, which is slow for few rows and on processors of other makers. oneDNN,
which torch carries too, takes a half to a third of the time for the sizes of a language model, forwards and
backwards; it only starts later.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.modules.module import _has_any_global_hook

_WORTH_IT = 1 << 20  # multiplications from which oneDNN's longer start (10 µs) is made up for: measured on AVX2
_PLAIN = (Tensor, nn.Parameter)  # not a quantised, sharded or traced tensor, which multiplies by itself
_onednn: Any = (
    torch.ops.mkldnn._linear_pointwise.default
    if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    else None
)


def linear(module: Any, x: Tensor) -> Tensor:
    """module(x). A plain nn.Linear that nobody has hooked into goes through `multiply`."""
    if type(module) is not nn.Linear or module._forward_hooks or module._forward_pre_hooks or _has_any_global_hook():
        return module(x)
    if module._backward_hooks or module._backward_pre_hooks or "forward" in vars(module):  # or put their own in place
        return module(x)
    return multiply(x, module.weight, module.bias)


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (…, in) times weight (out, in), of any strides, plus bias: F.linear, by oneDNN where that is quicker."""
    quicker = (
        _onednn is not None
        and x.is_cpu
        and x.dtype is weight.dtype is torch.float32
        and type(x) in _PLAIN
        and type(weight) in _PLAIN
        and x.numel() // max(x.shape[-1], 1) * weight.numel() >= _WORTH_IT
        and not (torch.compiler.is_compiling() or torch.jit.is_tracing() or torch.is_autocast_enabled("cpu"))
        and not torch._C._are_functorch_transforms_active()  # neither torch.func nor forward derivatives know it
        and forward_ad._current_level < 0
    )
    if not quicker:
        return F.linear(x, weight, bias)
    if torch.is_grad_enabled():
        return _Product.apply(x, weight, bias)
    return _onednn(x, weight, bias, "none", [], "")


class Conv1D(nn.Module):
    """A linear layer whose weight is stored as (in, out): nf numbers out of nx numbers."""

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(nx, nf))
        nn.init.normal_(self.weight, std=0.02)
        self.bias = nn.Parameter(torch.zeros(nf))

    def forward(self, x: Tensor) -> Tensor:
        return multiply(x, self.weight.t(), self.bias)

    def extra_repr(self) -> str:
        return "in={}, out={}".format(*self.weight.shape)


class _Product(torch.autograd.Function):
    """oneDNN's product with the gradients that it lacks: products too, so that they can be derived again."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _onednn(x, weight, bias, "none", [], "")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor) -> None:
        x, weight, _ = inputs
        wants_x, wants_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if wants_weight else None, weight if wants_x else None)  # no more than is needed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        (out,) = gradients
        rows = out.reshape(-1, out.shape[-1])
        return (
            None if weight is None else multiply(out, weight.t()),
            None if x is None else multiply(rows.t(), x.reshape(-1, x.shape[-1]).t()),
            rows.sum(0) if ctx.needs_input_grad[2] else None,
        )
