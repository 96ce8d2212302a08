"""report_to: the same logs, sent to TensorBoard, Weights & Biases or MLflow while the training runs."""

from __future__ import annotations

from collections.abc import Iterable

from ..callback import TrainerCallback
from .mlflow import MLflowCallback
from .tensorboard import TensorBoardCallback
from .wandb import WandbCallback

CALLBACKS: dict[str, type[TrainerCallback]] = {
    "tensorboard": TensorBoardCallback,
    "wandb": WandbCallback,
    "mlflow": MLflowCallback,
}


def report_callbacks(report_to: Iterable[str]) -> list[TrainerCallback]:
    """The callbacks for TrainingArguments.report_to; ImportError, before training, if a package is missing."""
    return [CALLBACKS[name]() for name in dict.fromkeys(report_to)]
