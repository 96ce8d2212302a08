r"""The learning rate's factor at a step, one plain function per schedule. Steps count from 0.

    factor          linear             cosine           warmup_stable_decay
      1 |   /\              /‾\               /‾‾‾‾‾\
        |  /  \            /   \             /       \
      0 | /    \__        /     ‾\__        /         \__
"""

from __future__ import annotations

import math
from collections.abc import Callable

Shape = Callable[[float], float]
# From 0 to 1 as progress goes from 0 to 1; a decay is the same shape on its way down.
RISES: dict[str, Shape] = {
    "linear": lambda progress: progress,
    "cosine": lambda progress: 0.5 * (1 - math.cos(math.pi * progress)),
    "1-sqrt": lambda progress: 1 - math.sqrt(1 - progress),
}


def warm(step: int, num_warmup_steps: int) -> float | None:
    """The factor while warming up, and None after that."""
    return step / max(1, num_warmup_steps) if step < num_warmup_steps else None


def progress_of(step: int, num_warmup_steps: int, num_training_steps: int) -> float:
    """How much of the way after the warm-up is gone: 0 at its end, 1 at the last step."""
    return (step - num_warmup_steps) / max(1, num_training_steps - num_warmup_steps)


def wave(progress: float, num_cycles: float) -> float:
    """Cosine from 1 downwards; num_cycles=0.5 ends at 0."""
    return 0.5 * (1 + math.cos(math.pi * num_cycles * 2 * progress))


def between(factor: float, lowest: float) -> float:
    """A factor from 0 to 1, put between the lowest one and 1."""
    return max(0.0, factor * (1 - lowest) + lowest)


def constant(step: int) -> float:
    return 1.0


def constant_after_warmup(step: int, num_warmup_steps: int) -> float:
    rising = warm(step, num_warmup_steps)
    return 1.0 if rising is None else rising


def linear(step: int, num_warmup_steps: int, num_training_steps: int) -> float:
    rising = warm(step, num_warmup_steps)
    return max(0.0, 1 - progress_of(step, num_warmup_steps, num_training_steps)) if rising is None else rising


def cosine(
    step: int, num_warmup_steps: int, num_training_steps: int, num_cycles: float, min_lr_rate: float = 0.0
) -> float:
    rising = warm(step, num_warmup_steps)
    if rising is not None:
        return rising
    return between(wave(progress_of(step, num_warmup_steps, num_training_steps), num_cycles), min_lr_rate)


def cosine_with_restarts(step: int, num_warmup_steps: int, num_training_steps: int, num_cycles: int) -> float:
    rising = warm(step, num_warmup_steps)
    if rising is not None:
        return rising
    progress = progress_of(step, num_warmup_steps, num_training_steps)
    return 0.0 if progress >= 1 else wave(num_cycles * progress % 1, 0.5)


def polynomial(
    step: int, num_warmup_steps: int, num_training_steps: int, lr_init: float, lr_end: float, power: float
) -> float:
    rising = warm(step, num_warmup_steps)
    if rising is not None:
        return rising
    if step > num_training_steps:
        return lr_end / lr_init
    remaining = 1 - progress_of(step, num_warmup_steps, num_training_steps)
    return ((lr_init - lr_end) * remaining**power + lr_end) / lr_init


def inverse_sqrt(step: int, num_warmup_steps: int, timescale: int) -> float:
    rising = warm(step, num_warmup_steps)
    return math.sqrt(timescale / (step + timescale - num_warmup_steps)) if rising is None else rising


def cosine_from_a_warmup_rate(
    step: int,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float,
    min_lr_rate: float,
    warmup_lr_rate: float | None,
) -> float:
    """Half a step ahead of `cosine`: the first step has a learning rate already, and the last one has the lowest."""
    if step < num_warmup_steps:
        if warmup_lr_rate is None:
            return (step + 1) / max(1, num_warmup_steps)
        return warmup_lr_rate + (1 - warmup_lr_rate) * step / max(1, num_warmup_steps - 1)
    progress = (step - num_warmup_steps + 1) / max(1, num_training_steps - num_warmup_steps)
    return between(wave(progress, num_cycles), min_lr_rate)


def warmup_stable_decay(
    step: int,
    num_warmup_steps: int,
    num_stable_steps: int,
    num_decay_steps: int,
    warmup_type: str,
    decay_type: str,
    min_lr_ratio: float,
    num_cycles: float,
) -> float:
    if step < num_warmup_steps:
        return between(RISES[warmup_type](step / max(1, num_warmup_steps)), min_lr_ratio)
    gone = step - num_warmup_steps - num_stable_steps
    if gone < 0:
        return 1.0
    if gone >= num_decay_steps:
        return min_lr_ratio
    progress = gone / max(1, num_decay_steps)
    if decay_type == "cosine":
        return between(wave(progress, num_cycles), min_lr_ratio)
    return between(RISES[decay_type](1 - progress), min_lr_ratio)
