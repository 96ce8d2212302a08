"""The best evaluation so far, and the checkpoint that it was made on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .hooks.saving import SavingHooks
    from .trainer import Trainer


def metric_of(metrics: dict[str, float], name: str) -> float:
    """The metric of that name, with or without "eval_". Raises ValueError that lists what there is."""
    key = name if name.startswith("eval_") else f"eval_{name}"
    if key not in metrics:
        raise ValueError(
            f"metric_for_best_model is {name!r}, but the evaluation gave {', '.join(sorted(metrics))}: name one of "
            "them, or have compute_metrics return it"
        )
    return metrics[key]


def note(trainer: Trainer, metrics: dict[str, float]) -> bool:
    """Whether this evaluation is the best so far; if so, the state remembers it."""
    args, state = trainer.args, trainer.state
    if args.metric_for_best_model is None:
        return False
    value, best = metric_of(metrics, args.metric_for_best_model), state.best_metric
    better = best is None or (value > best if args.greater_is_better else value < best)
    if better:
        state.best_metric, state.best_global_step = value, state.global_step
    return better


def load(trainer: SavingHooks) -> None:
    """Put the weights of the best checkpoint into the model."""
    folder = Path(str(trainer.state.best_model_checkpoint))
    if not folder.is_dir():
        raise OSError(f"the best checkpoint, {folder}, is not there any more: was it moved or deleted?")
    trainer._load_from_checkpoint(str(folder))
