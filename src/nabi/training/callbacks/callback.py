"""Callbacks: what happens at each event of a training, by default and by your own wish.

class Tell(TrainerCallback):
    def on_epoch_end(self, args, state, control, **kwargs):
        print(f"epoch {state.epoch} is done")

Trainer(…, callbacks=[Tell()])
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from .state import ExportableState, TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)


class TrainerCallback:
    """The events of a training. Override those you need; each gets args, state, control and keywords.

    Keywords of every event: model, processing_class (also under its older name tokenizer), optimizer, lr_scheduler,
    train_dataloader, eval_dataloader. on_log gets logs too, on_evaluate and on_predict get metrics.
    An event may turn the switches of control; it may return control, and need not.
    """

    def on_init_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """The trainer is built."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """train() begins; a resumed state is loaded already."""

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """train() is about to return."""

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """A pass over the data begins."""

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """A pass over the data has ended."""

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """The first batch of an update is about to run."""

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Gradients are there and clipped; the weights have not moved yet."""

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """The weights have moved; the gradients are still there."""

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """A batch has run whose gradients wait for more batches."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """An update is complete and counted; logging, evaluation and saving follow if control says so."""

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """An evaluation is done; its metrics come as a keyword."""

    def on_predict(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """predict() is done; its metrics come as a keyword."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """A checkpoint is on disk."""

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """New values were logged; they come as the keyword logs."""

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """A batch of an evaluation or prediction has run."""

    def on_push_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """An upload to the Hub is about to begin."""


EVENTS = tuple(name for name in vars(TrainerCallback) if name.startswith("on_"))


class DefaultFlowCallback(TrainerCallback):
    """When to log, evaluate, save and stop, as the arguments say it. Every trainer needs it."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        step, is_last = state.global_step, state.global_step >= state.max_steps
        if step == 1 and args.logging_first_step:
            control.should_log = True
        if args.logging_strategy == "steps" and step % state.logging_steps == 0:
            control.should_log = True
        # A training that evaluates or saves by steps also does so at its end, wherever that falls.
        if args.eval_strategy == "steps" and step >= args.eval_delay and (is_last or step % state.eval_steps == 0):
            control.should_evaluate = True
        if args.save_strategy == "steps" and (is_last or (state.save_steps > 0 and step % state.save_steps == 0)):
            control.should_save = True
        if is_last:
            control.should_training_stop = True
        return control

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        if args.logging_strategy == "epoch":
            control.should_log = True
        if args.eval_strategy == "epoch" and state.epoch >= args.eval_delay:
            control.should_evaluate = True
        if args.save_strategy == "epoch":
            control.should_save = True
        return control


class EarlyStoppingCallback(TrainerCallback, ExportableState):
    """Ends the training when metric_for_best_model has not improved in so many evaluations one after the other.

    early_stopping_patience: how many. early_stopping_threshold: by how much a metric must be better to count as
    improved, in the metric's own unit. It is compared with the best so far, which the trainer keeps.
    """

    def __init__(self, early_stopping_patience: int = 1, early_stopping_threshold: float | None = 0.0) -> None:
        if early_stopping_patience < 0:
            raise ValueError(f"early_stopping_patience is {early_stopping_patience}: give 1 or more evaluations")
        self.early_stopping_patience = early_stopping_patience
        self.early_stopping_threshold = early_stopping_threshold or 0.0
        self.early_stopping_patience_counter = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if args.metric_for_best_model is None:
            raise ValueError(
                "EarlyStoppingCallback needs to know what to watch: set metric_for_best_model, for example "
                'metric_for_best_model="eval_loss"'
            )
        if args.eval_strategy == "no":
            raise ValueError('EarlyStoppingCallback needs evaluations: set eval_strategy to "epoch" or "steps"')
        if not args.load_best_model_at_end:
            logger.warning(
                "EarlyStoppingCallback ends the training, but the model keeps its last weights, not its best ones: "
                "load_best_model_at_end=True would load those"
            )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        assert args.metric_for_best_model is not None  # on_train_begin saw to it
        name = f"eval_{args.metric_for_best_model.removeprefix('eval_')}"
        value = (metrics or {}).get(name)
        if value is None:
            logger.warning(
                "EarlyStoppingCallback watches %s, which this evaluation does not have; it has %s",
                *(name, ", ".join(metrics or {}) or "none"),
            )
            return
        self.check_metric_value(args, state, control, value)
        if self.early_stopping_patience_counter >= self.early_stopping_patience:
            control.should_training_stop = True

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        """Count one more evaluation without improvement, or begin to count anew. A nan is no improvement."""
        if state.best_metric is None:
            improved = True
        else:
            gain = metric_value - state.best_metric if args.greater_is_better else state.best_metric - metric_value
            improved = gain > 0 and gain > self.early_stopping_threshold
        self.early_stopping_patience_counter = 0 if improved else self.early_stopping_patience_counter + 1

    def state(self) -> dict[str, dict[str, Any]]:
        return {
            "args": {
                "early_stopping_patience": self.early_stopping_patience,
                "early_stopping_threshold": self.early_stopping_threshold,
            },
            "attributes": {"early_stopping_patience_counter": self.early_stopping_patience_counter},
        }


class PrinterCallback(TrainerCallback):
    """Prints each log as a dict, floats to four digits; what there is instead of a bar with disable_tqdm=True."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if state.is_local_process_zero:
            shown = {name: value for name, value in (logs or {}).items() if name != "total_flos"}
            print({name: f"{value:.4g}" if isinstance(value, float) else value for name, value in shown.items()})
