"""How quickly a training goes and how long it will take: for the terminal and the notebook alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments
    from .state import TrainerState


class Pace:
    """The clock of one training. Speed counts the time of steps alone; time left counts evaluating and saving too."""

    def __init__(self, args: TrainingArguments, state: TrainerState) -> None:
        self.first = self.done = state.global_step
        self.total = state.max_steps
        rows = state.train_batch_size or args.train_batch_size  # smaller than asked for, if memory ran out
        self.rows_per_step = rows * args.gradient_accumulation_steps * args.world_size
        self.began = self.mark = time.perf_counter()
        self.in_steps = 0.0

    def step_done(self, done: int) -> None:
        now = time.perf_counter()
        self.in_steps += now - self.mark
        self.mark, self.done = now, done

    def something_else_done(self) -> None:
        """An evaluation or a checkpoint is finished: the time since the last step was no training."""
        self.mark = time.perf_counter()

    @property
    def steps_per_second(self) -> float | None:
        """None before the first step."""
        return (self.done - self.first) / self.in_steps if self.in_steps > 0 and self.done > self.first else None

    @property
    def seconds_gone(self) -> float:
        return time.perf_counter() - self.began

    @property
    def seconds_left(self) -> float | None:
        """None before the first step."""
        if self.done == self.first:
            return None
        return self.seconds_gone / (self.done - self.first) * (self.total - self.done)


def clock(seconds: float) -> str:
    """75 -> "1:15", 3675 -> "1:01:15"."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def speed(pace: Pace) -> list[str]:
    """Speed in steps and in rows: ["2.5 steps/s", "40 rows/s"], slow ones as "3.1 s/step"; [] before the first step."""
    steps = pace.steps_per_second
    if steps is None:
        return []
    return [
        f"{plain(steps)} steps/s" if steps >= 0.995 else f"{1 / steps:.3g} s/step",
        f"{plain(steps * pace.rows_per_step)} rows/s",
    ]


def time_left(pace: Pace) -> list[str]:
    """["0:45 left"], at the end ["2:10 in all"]; [] before the first step."""
    if pace.done >= pace.total:
        return [f"{clock(pace.seconds_gone)} in all"]
    seconds = pace.seconds_left
    return [] if seconds is None else [f"{clock(seconds)} left"]


def plain(value: float) -> str:
    """Three digits or the whole part, never with an exponent."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"
