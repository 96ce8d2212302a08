"""Reading the logs of a training (TrainerState.log_history): what was measured, in words and numbers for people."""

from __future__ import annotations

import math
from typing import Any

TIMES = ("_runtime", "_samples_per_second", "_steps_per_second", "_model_preparation_time")
NO_METRIC = frozenset({"epoch", "step", "total_flos"})


def shown(value: Any) -> str:
    """A logged value as people compare it: four decimals, or an exponent where those would say nothing."""
    if not isinstance(value, float) and hasattr(value, "item"):
        value = value.item()  # a scalar of NumPy or torch
    if not isinstance(value, float):
        return str(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if not 1e-3 <= abs(value) < 1e7:
        return f"{value:.2e}"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.1f}"


def as_metric_name(name: str) -> str:
    """eval_f1_macro -> "F1 Macro", eval_loss -> "Validation Loss"."""
    words = name.split("_")[1:] or [name]
    readable = " ".join(word[:1].upper() + word[1:] for word in words)
    return "Validation Loss" if readable == "Loss" else readable


def readable_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """{"eval_loss", "eval_f1", "eval_runtime", …} -> {"Validation Loss", "F1"}; times are left out."""
    kept = [name for name in metrics if name not in NO_METRIC and not name.endswith(TIMES)]
    return {as_metric_name(name): metrics[name] for name in kept}


def evaluations(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per evaluation: Epoch, Step, Training Loss (the newest logged by then), Validation Loss, metrics.

    Several evaluation sets at one step share a row.
    """
    rows: list[dict[str, Any]] = []
    training_loss: Any = "no log yet"
    for log in history:
        training_loss = log.get("loss", training_loss)
        if any(name.startswith("eval_") for name in log):
            epoch = f"{log['epoch']:.4g}" if "epoch" in log else ""
            row = {"Epoch": epoch, "Step": log.get("step", ""), "Training Loss": training_loss}
            row |= readable_metrics(log)
            if rows and rows[-1]["Step"] == row["Step"]:
                rows[-1].update(row)
            else:
                rows.append(row)
    return rows
