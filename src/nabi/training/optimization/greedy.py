"""GreedyLR: a learning rate that follows a metric both ways."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer


class GreedyLR:
    """Higher learning rate after more than `patience` better metrics in a row, lower after as many worse ones.

    mode: "min" for a loss, "max" for an accuracy. factor: what the rate is multiplied by, or divided, below 1.
    threshold: how much better counts; threshold_mode "abs" as it is, "rel" as a part of the best.
    cooldown, warmup: steps of rest after the rate went down, or up.
    min_lr, max_lr: limits, one or one per parameter group. eps: smaller changes are left out.
    smooth: judge the mean of the last window_size metrics. reset_start: how often in a row the rate may be found at
    its minimum before everything starts anew.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.95,
        patience: int = 10,
        threshold: float = 1e-6,
        threshold_mode: str = "abs",
        cooldown: int = 0,
        warmup: int = 0,
        min_lr: float | list[float] = 1e-3,
        max_lr: float | list[float] = 1.0,
        eps: float = 1e-8,
        verbose: bool = False,
        smooth: bool = False,
        window_size: int = 50,
        reset_start: int = 500,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"GreedyLR follows an optimizer of torch, not {type(optimizer).__name__}")
        if not 0 < factor < 1:
            raise ValueError(f"factor lies between 0 and 1, and is {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f'mode is "min" or "max", not {mode!r}')
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f'threshold_mode is "rel" or "abs", not {threshold_mode!r}')
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.warmup = warmup
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.max_lrs = per_group("max_lr", max_lr, optimizer)
        self.eps = eps
        self.verbose = verbose
        self.smooth = smooth
        self.window_size = window_size
        self.reset_start_original = reset_start
        self.last_epoch = 0
        self._init_lrs = [group["lr"] for group in optimizer.param_groups]
        self._last_lr = list(self._init_lrs)
        self._start()

    def _start(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.num_bad_epochs = self.num_good_epochs = 0
        self.cooldown_counter = self.warmup_counter = 0
        self.reset_start = self.reset_start_original
        self.recent: list[float] = []

    def step(self, metrics: float, epoch: int | None = None) -> None:
        """Takes the newest metric and changes the learning rates if it is time."""
        metric = self._smoothed(float(metrics)) if self.smooth else float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0 or self.warmup_counter > 0:
            resting = "cooldown_counter" if self.cooldown_counter > 0 else "warmup_counter"
            setattr(self, resting, getattr(self, resting) - 1)
            self.num_bad_epochs = self.num_good_epochs = 0
        elif self.is_better(metric, self.best):
            self.best = metric
            self.num_bad_epochs = 0
            self.num_good_epochs += 1
        else:
            self.num_bad_epochs += 1
            self.num_good_epochs = 0
        if self.num_good_epochs > self.patience:
            self._raise()
        elif self.num_bad_epochs > self.patience:
            self._lower()
        self._last_lr = self._rates()

    def _smoothed(self, metric: float) -> float:
        self.recent = [*self.recent, metric][-self.window_size :]
        return sum(self.recent) / len(self.recent)

    def is_better(self, current: float, best: float) -> bool:
        if self.mode == "max":
            current, best = -current, -best
        if self.threshold_mode == "abs" or math.isinf(best):
            return current < best - self.threshold
        return current < best - self.threshold * (best if self.mode == "min" else -best)

    def _raise(self) -> None:
        wanted = [min(rate / self.factor, most) for rate, most in zip(self._rates(), self.max_lrs, strict=True)]
        self._set([new if new - old > self.eps else old for old, new in zip(self._rates(), wanted, strict=True)])
        self.reset_start = self.reset_start_original
        self.warmup_counter = self.warmup
        self.num_good_epochs = 0

    def _lower(self) -> None:
        wanted = [max(rate * self.factor, least) for rate, least in zip(self._rates(), self.min_lrs, strict=True)]
        self._set([new if old - new > self.eps else old for old, new in zip(self._rates(), wanted, strict=True)])
        if all(rate <= least for rate, least in zip(self._rates(), self.min_lrs, strict=True)):
            self.reset_start -= 1
            if self.reset_start <= 0:
                self._set(self._init_lrs)
                self._start()
        self.cooldown_counter = self.cooldown
        self.num_bad_epochs = 0

    def _rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _set(self, rates: list[float]) -> None:
        for number, (group, rate) in enumerate(zip(self.optimizer.param_groups, rates, strict=True)):
            if self.verbose and group["lr"] != rate:
                print(f"step {self.last_epoch}: the learning rate of group {number} is now {rate:.4e}")
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer, as plain numbers."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a state_dict; the optimizer's learning rates are set too."""
        vars(self).update(state_dict)
        self._set(self._last_lr)


def per_group(name: str, value: float | list[float], optimizer: Optimizer) -> list[float]:
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name} has {len(value)} values for {groups} parameter groups")
    return list(value)
