"""A training with no model: it calls the events in the order of the loop, logs and evaluates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nabi.training.arguments.training_arguments import TrainingArguments
from nabi.training.callbacks.callback import DefaultFlowCallback
from nabi.training.callbacks.handler import CallbackHandler
from nabi.training.callbacks.state import TrainerControl, TrainerState

EVALUATION = {
    **{"eval_loss": 0.25, "eval_정확도": 0.875, "eval_f1_macro": 0.5},
    **{"eval_runtime": 2.0, "eval_samples_per_second": 512.3, "eval_steps_per_second": 16.0},
}
END = {"train_runtime": 75.0, "train_samples_per_second": 3.21, "total_flos": 1e9, "train_loss": 0.5}


def arguments(folder: Path, **changed: Any) -> TrainingArguments:
    return TrainingArguments(**{"output_dir": str(folder), "eval_strategy": "epoch", "save_strategy": "no", **changed})


class Pretended:
    """12 steps in 3 epochs, a log every 2 steps."""

    def __init__(self, args: TrainingArguments, callbacks: list[Any], model: Any = None) -> None:
        self.args = args
        self.handler = CallbackHandler([DefaultFlowCallback, *callbacks], model, None, None, None)
        self.handler.eval_dataloader = range(4)
        self.state = TrainerState(max_steps=12, logging_steps=2, eval_steps=4, num_train_epochs=3)
        self.control = TrainerControl()

    def run(self, first: int = 0) -> list[dict[str, Any]]:
        """Train from this step on; returns the history."""
        state, handler = self.state, self.handler
        state.global_step = first
        self.control = handler.on_train_begin(self.args, state, self.control)
        while not self.control.should_training_stop:
            self.control = handler.on_step_begin(self.args, state, self.control)
            state.global_step += 1
            state.epoch = state.global_step / 4
            self.control = handler.on_step_end(self.args, state, self.control)
            self.log_and_evaluate()
            if state.global_step % 4 == 0:
                self.control = handler.on_epoch_end(self.args, state, self.control)
                self.log_and_evaluate()
        self.log(END)
        handler.on_train_end(self.args, state, self.control)
        return state.log_history

    def log_and_evaluate(self) -> None:
        if self.control.should_log:
            self.log({"loss": 1 / self.state.global_step, "grad_norm": 1.5, "learning_rate": 5e-5})
        if self.control.should_evaluate:
            self.evaluate()

    def log(self, logs: dict[str, Any]) -> None:
        logs = {**logs, "epoch": self.state.epoch}
        self.state.log_history.append({**logs, "step": self.state.global_step})
        self.control = self.handler.on_log(self.args, self.state, self.control, logs)

    def evaluate(self, metrics: dict[str, Any] = EVALUATION) -> None:
        for _ in self.handler.eval_dataloader:
            self.control = self.handler.on_prediction_step(self.args, self.state, self.control)
        self.log(metrics)
        self.control = self.handler.on_evaluate(
            self.args, self.state, self.control, {**metrics, "epoch": self.state.epoch}
        )
