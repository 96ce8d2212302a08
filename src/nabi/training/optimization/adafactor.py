"""Adafactor (Shazeer and Stern 2018, arXiv:1804.04235): Adam whose second moment costs a row and a column.

For a matrix of gradients (…, n, m) it keeps the mean squares of the rows (…, n) and of the columns (…, m), whose
outer product stands for the whole. T5 was trained with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

MOMENTS = {"exp_avg", "exp_avg_sq", "exp_avg_sq_row", "exp_avg_sq_col"}


class Adafactor(Optimizer):
    """Constructor, state and results of transformers' Adafactor.

    lr: None lets it find its own rate from the step (relative_step=True; warmup_init: beginning at 1e-6).
    eps: added to squared gradients; least scale of a parameter. clip_threshold: greatest RMS of an update.
    decay_rate: how fast old squares are forgotten. beta1: momentum, None for none. scale_parameter: rates are in
    proportion to the RMS of the parameter.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | None = None,
        eps: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        decay_rate: float = -0.8,
        beta1: float | None = None,
        weight_decay: float = 0.0,
        scale_parameter: bool = True,
        relative_step: bool = True,
        warmup_init: bool = False,
    ) -> None:
        if lr is not None and relative_step:
            raise ValueError(f"lr={lr} and relative_step=True exclude each other: say relative_step=False, or lr=None")
        if lr is None and not relative_step:
            raise ValueError("relative_step=False needs an lr")
        if warmup_init and not relative_step:
            raise ValueError("warmup_init=True needs relative_step=True")
        settings = {
            "lr": lr,
            "eps": eps,
            "clip_threshold": clip_threshold,
            "decay_rate": decay_rate,
            "beta1": beta1,
            "weight_decay": weight_decay,
            "scale_parameter": scale_parameter,
            "relative_step": relative_step,
            "warmup_init": warmup_init,
        }
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step of every parameter that has a gradient. Half-precision ones are stepped in float32."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, group)
        return loss

    def _step_one(self, parameter: Tensor, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        if parameter.grad.is_sparse:
            raise RuntimeError("Adafactor takes no sparse gradients; torch.optim.SparseAdam does")
        gradient, weight = full_precision(parameter.grad), full_precision(parameter)
        state = self.state[parameter]
        if not state:
            state.update(first_state(gradient, with_momentum=group["beta1"] is not None))
        for name in state.keys() & MOMENTS:  # loading a state gives it the dtype of a half-precision parameter
            state[name] = state[name].to(gradient)
        state["step"] += 1
        state["RMS"] = rms(weight)
        rate = rate_of(group, state)
        kept = 1 - state["step"] ** group["decay_rate"]
        square = gradient.square() + group["eps"][0]
        if "exp_avg_sq" in state:
            update = gradient * state["exp_avg_sq"].lerp_(square, 1 - kept).rsqrt()
        else:
            rows = state["exp_avg_sq_row"].lerp_(square.mean(dim=-1), 1 - kept)
            columns = state["exp_avg_sq_col"].lerp_(square.mean(dim=-2), 1 - kept)
            shares = rows / rows.mean(dim=-1, keepdim=True)
            update = gradient * shares.rsqrt().unsqueeze(-1) * columns.rsqrt().unsqueeze(-2)
        update *= rate / (rms(update) / group["clip_threshold"]).clamp(min=1)
        if group["beta1"] is not None:
            update = state["exp_avg"].lerp_(update, 1 - group["beta1"])
        if group["weight_decay"]:
            weight.mul_(1 - group["weight_decay"] * rate)
        weight.sub_(update)
        if weight is not parameter:
            parameter.copy_(weight)


class AdafactorSchedule(LambdaLR):
    """A scheduler for an Adafactor that finds its own rate: it only shows the rate of each group's first parameter.

    initial_lr: what is shown before the first step.
    """

    def __init__(self, optimizer: Optimizer, initial_lr: float = 0.0) -> None:
        for group in optimizer.param_groups:
            group["initial_lr"] = initial_lr  # LambdaLR wants one, and Adafactor's lr is None
        super().__init__(optimizer, [lambda step: initial_lr] * len(optimizer.param_groups))
        for group in optimizer.param_groups:
            del group["initial_lr"]

    def get_lr(self) -> list[Any]:
        optimizer = self.optimizer
        firsts = [(group, group["params"][0]) for group in optimizer.param_groups]
        rates = [rate_of(group, optimizer.state[first]) for group, first in firsts if optimizer.state.get(first)]
        return rates or list(self.base_lrs)


def get_adafactor_schedule(optimizer: Optimizer, initial_lr: float = 0.0) -> AdafactorSchedule:
    """See AdafactorSchedule."""
    return AdafactorSchedule(optimizer, initial_lr)


def rate_of(group: dict[str, Any], state: dict[str, Any]) -> Any:
    """The learning rate of one parameter at its step, in proportion to the parameter if the group says so."""
    rate = group["lr"]
    if group["relative_step"]:
        most = 1e-6 * state["step"] if group["warmup_init"] else 1e-2
        rate = min(most, 1 / math.sqrt(state["step"]))
    return rate * max(group["eps"][1], state["RMS"]) if group["scale_parameter"] else rate


def first_state(gradient: Tensor, with_momentum: bool) -> dict[str, Any]:
    state: dict[str, Any] = {"step": 0, "RMS": 0}
    if with_momentum:
        state["exp_avg"] = torch.zeros_like(gradient)
    if gradient.dim() < 2:
        state["exp_avg_sq"] = torch.zeros_like(gradient)
    else:
        state["exp_avg_sq_row"] = gradient.new_zeros(gradient.shape[:-1])
        state["exp_avg_sq_col"] = gradient.new_zeros(gradient.shape[:-2] + gradient.shape[-1:])
    return state


def full_precision(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def rms(tensor: Tensor) -> Tensor:
    return tensor.norm(2) / math.sqrt(tensor.numel())
