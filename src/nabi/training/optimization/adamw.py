"""AdamW as transformers 4 had it, for scripts that import it and for the numbers that they published."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer


class AdamW(Optimizer):
    """Adam with weight decay apart from the gradient (arXiv:1711.05101), decayed after the step, not before it.

    Differs from torch.optim.AdamW in this, in its defaults, and in eps, which is added before the bias is corrected.
    correct_bias=False leaves the correction out, as BERT's first code did.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
        no_deprecation_warning: bool = False,
    ) -> None:
        if lr < 0:
            raise ValueError(f"lr is 0 or more, not {lr}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas lie between 0 and 1, without 1, and are {betas}")
        if eps < 0:
            raise ValueError(f"eps is 0 or more, not {eps}")
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "correct_bias": correct_bias}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                if (gradient := parameter.grad) is None:
                    continue
                if gradient.is_sparse:
                    raise RuntimeError("AdamW takes no sparse gradients; torch.optim.SparseAdam does")
                state = self.state[parameter]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                state["step"] += 1
                mean = state["exp_avg"].mul_(beta1).add_(gradient, alpha=1 - beta1)
                square = state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                size = group["lr"]
                if group["correct_bias"]:
                    size *= math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
                parameter.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-size)
                if group["weight_decay"] > 0:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
        return loss
