"""Schedules of the learning rate: get_scheduler by name, and a function for each, as transformers has them.

A scheduler's state_dict holds plain numbers, so torch.load(..., weights_only=True) reads it. Their curves are in
schedule_shapes.py.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from ..arguments.choices import SchedulerType
from . import schedule_shapes as shapes
from .greedy import GreedyLR

WAITS_FOR_METRICS = ("ReduceLROnPlateau", "GreedyLR")  # they step by an evaluation's result, not by the update


def scheduled(optimizer: Optimizer, factor: Callable[..., float], last_epoch: int = -1, **settings: Any) -> LambdaLR:
    # A partial, not a closure: it can be pickled with the trainer, and state_dict finds nothing of it to keep.
    return LambdaLR(optimizer, functools.partial(factor, **settings), last_epoch)


def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> LambdaLR:
    """The same learning rate from beginning to end."""
    return scheduled(optimizer, shapes.constant, last_epoch)


def get_constant_schedule_with_warmup(optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1) -> LambdaLR:
    """Up from 0, then the same to the end."""
    return scheduled(optimizer, shapes.constant_after_warmup, last_epoch, num_warmup_steps=num_warmup_steps)


def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> LambdaLR:
    """Up from 0, then straight down to 0 at num_training_steps."""
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return scheduled(optimizer, shapes.linear, last_epoch, **steps)


def get_cosine_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5, last_epoch: int = -1
) -> LambdaLR:
    """Up from 0, then down along num_cycles waves of a cosine (0.5: once down to 0)."""
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return scheduled(optimizer, shapes.cosine, last_epoch, **steps, num_cycles=num_cycles)


def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1, last_epoch: int = -1
) -> LambdaLR:
    """Up from 0, then num_cycles times down to 0 along a cosine, each time from the top (arXiv:1608.03983)."""
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return scheduled(optimizer, shapes.cosine_with_restarts, last_epoch, **steps, num_cycles=num_cycles)


def get_polynomial_decay_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
) -> LambdaLR:
    """Up from 0, then down to lr_end along a power of what remains. lr_end must lie below the learning rate."""
    lr_init = optimizer.defaults["lr"]
    if not lr_init > lr_end:
        raise ValueError(f"lr_end={lr_end} must be below the learning rate, which is {lr_init}")
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return scheduled(optimizer, shapes.polynomial, last_epoch, **steps, lr_init=lr_init, lr_end=lr_end, power=power)


def get_inverse_sqrt_schedule(
    optimizer: Optimizer, num_warmup_steps: int, timescale: int | None = None, last_epoch: int = -1
) -> LambdaLR:
    """Up from 0, then down with the root of the steps. timescale: the warm-up's steps, or 10,000 without one."""
    timescale = timescale or num_warmup_steps or 10_000
    settings = {"num_warmup_steps": num_warmup_steps, "timescale": timescale}
    return scheduled(optimizer, shapes.inverse_sqrt, last_epoch, **settings)


def lowest_rate(optimizer: Optimizer, min_lr: float | None, min_lr_rate: float | None) -> float:
    """The lowest factor, said as a learning rate (min_lr) or as a part of it (min_lr_rate): exactly one of them."""
    if min_lr is not None and min_lr_rate is None:
        return min_lr / optimizer.defaults["lr"]
    if min_lr_rate is not None and min_lr is None:
        return min_lr_rate
    raise ValueError(
        f"this schedule needs either min_lr or min_lr_rate, but min_lr={min_lr} and min_lr_rate={min_lr_rate}; "
        'as in lr_scheduler_kwargs={"min_lr_rate": 0.1}'
    )


def get_cosine_with_min_lr_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> LambdaLR:
    """Up from 0, then down along a cosine to min_lr, or to the part min_lr_rate of the learning rate."""
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    lowest = lowest_rate(optimizer, min_lr, min_lr_rate)
    return scheduled(optimizer, shapes.cosine, last_epoch, **steps, num_cycles=num_cycles, min_lr_rate=lowest)


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> LambdaLR:
    """As with_min_lr, but the warm-up begins at the part warmup_lr_rate, or at its first step's share, not at 0."""
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    rates = {"min_lr_rate": lowest_rate(optimizer, min_lr, min_lr_rate), "warmup_lr_rate": warmup_lr_rate}
    return scheduled(optimizer, shapes.cosine_from_a_warmup_rate, last_epoch, **steps, num_cycles=num_cycles, **rates)


def get_wsd_schedule(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> LambdaLR:
    """Up, the same for num_stable_steps, then down in num_decay_steps (warm-up, stable, decay: arXiv:2404.06395).

    num_stable_steps is what num_training_steps leaves if it is not said. Types: linear, cosine, 1-sqrt.
    """
    for name, kind in (("warmup_type", warmup_type), ("decay_type", decay_type)):
        if kind not in shapes.RISES:
            raise ValueError(f"{name}={kind!r} is not one of {', '.join(shapes.RISES)}")
    if num_stable_steps is None:
        if num_training_steps is None:
            raise ValueError("this schedule needs num_stable_steps, or num_training_steps to know what is left")
        num_stable_steps = num_training_steps - num_warmup_steps - num_decay_steps
    steps = {
        "num_warmup_steps": num_warmup_steps,
        "num_stable_steps": num_stable_steps,
        "num_decay_steps": num_decay_steps,
    }
    kinds = {"warmup_type": warmup_type, "decay_type": decay_type}
    return scheduled(
        optimizer,
        shapes.warmup_stable_decay,
        last_epoch,
        **steps,
        **kinds,
        min_lr_ratio=min_lr_ratio,
        num_cycles=num_cycles,
    )


def get_reduce_on_plateau_schedule(optimizer: Optimizer, **settings: Any) -> ReduceLROnPlateau:
    """torch's ReduceLROnPlateau: lower when the metric, given to step(metric), no longer gets better."""
    return ReduceLROnPlateau(optimizer, **settings)


def get_greedy_schedule(optimizer: Optimizer, **settings: Any) -> GreedyLR:
    """See GreedyLR: higher while the metric gets better, lower when it does not."""
    return GreedyLR(optimizer, **settings)


SCHEDULES: dict[SchedulerType, Callable[..., Any]] = {
    SchedulerType.LINEAR: get_linear_schedule_with_warmup,
    SchedulerType.COSINE: get_cosine_schedule_with_warmup,
    SchedulerType.COSINE_WITH_RESTARTS: get_cosine_with_hard_restarts_schedule_with_warmup,
    SchedulerType.POLYNOMIAL: get_polynomial_decay_schedule_with_warmup,
    SchedulerType.CONSTANT: get_constant_schedule,
    SchedulerType.CONSTANT_WITH_WARMUP: get_constant_schedule_with_warmup,
    SchedulerType.INVERSE_SQRT: get_inverse_sqrt_schedule,
    SchedulerType.REDUCE_ON_PLATEAU: get_reduce_on_plateau_schedule,
    SchedulerType.COSINE_WITH_MIN_LR: get_cosine_with_min_lr_schedule_with_warmup,
    SchedulerType.COSINE_WARMUP_WITH_MIN_LR: get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    SchedulerType.WARMUP_STABLE_DECAY: get_wsd_schedule,
    SchedulerType.GREEDY: get_greedy_schedule,
}
TYPE_TO_SCHEDULER_FUNCTION = SCHEDULES


def get_scheduler(
    name: str | SchedulerType,
    optimizer: Optimizer,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: dict[str, Any] | None = None,
) -> Any:
    """The scheduler of a name, for optimizer steps; call its step() after each (plateau, greedy: step(metric)).

    scheduler_specific_kwargs: what that schedule takes besides, as lr_scheduler_kwargs of TrainingArguments. A setting
    that is missing is a ValueError, one that it does not take a TypeError.
    """
    name = SchedulerType(name)
    takes = inspect.signature(SCHEDULES[name]).parameters
    settings = dict(scheduler_specific_kwargs or {})
    for steps, value in (("num_warmup_steps", num_warmup_steps), ("num_training_steps", num_training_steps)):
        if steps in takes and value is not None:
            settings.setdefault(steps, value)
    is_open = any(one.kind is one.VAR_KEYWORD for one in takes.values())
    unknown = [] if is_open else [setting for setting in settings if setting not in takes]
    if unknown:
        known = ", ".join(one for one in takes if one not in ("optimizer", "last_epoch")) or "none"
        raise TypeError(f"the schedule {name} takes no {', '.join(unknown)}; its settings: {known}")
    needed = [one.name for one in takes.values() if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    for setting in needed[1:]:
        if settings.get(setting) is None:
            raise ValueError(f"the schedule {name} needs {setting}; give it in lr_scheduler_kwargs or as an argument")
    return SCHEDULES[name](optimizer, **settings)
