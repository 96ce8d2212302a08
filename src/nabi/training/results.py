"""What training, evaluating and predicting give back, under HF's names."""

from __future__ import annotations

import time
from typing import Any, NamedTuple


class TrainOutput(NamedTuple):
    """global_step: updates done; training_loss: their mean loss; metrics: times and speeds."""

    global_step: int
    training_loss: float
    metrics: dict[str, float]


class PredictionOutput(NamedTuple):
    """predictions and label_ids: arrays (examples, …), or tuples of them; label_ids None without labels."""

    predictions: Any
    label_ids: Any
    metrics: dict[str, float]


class EvalLoopOutput(NamedTuple):
    """The same, and how many examples there were."""

    predictions: Any
    label_ids: Any
    metrics: dict[str, float]
    num_samples: int


class BestRun(NamedTuple):
    """The best trial of a search: its number, its objective, its settings; for several objectives, lists of them."""

    run_id: str
    objective: float | list[float]
    hyperparameters: dict[str, Any]
    run_summary: Any = None


def speed_metrics(
    split: str, start_time: float, num_samples: float | None = None, num_steps: int | None = None
) -> dict[str, float]:
    """Seconds since start_time, and samples and steps a second, under names that begin with the split."""
    seconds = time.time() - start_time
    found = {f"{split}_runtime": round(seconds, 4)}
    if seconds > 0 and num_samples is not None:
        found[f"{split}_samples_per_second"] = round(num_samples / seconds, 3)
    if seconds > 0 and num_steps is not None:
        found[f"{split}_steps_per_second"] = round(num_steps / seconds, 3)
    return found
