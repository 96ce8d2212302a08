"""What a model does on data that it does not learn from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .. import deepspeed
from ..arguments.training_arguments import TrainingArguments
from ..best import metric_of
from ..callbacks.handler import CallbackHandler
from ..callbacks.state import TrainerControl, TrainerState
from ..evaluation import answers_in, run_over
from ..losses import shifts_labels
from ..metrics import Metric, metric
from ..optimization.schedules import WAITS_FOR_METRICS
from ..results import EvalLoopOutput, PredictionOutput, speed_metrics


class EvaluationHooks:
    """evaluate ─► evaluation_loop ─► prediction_step, and predict the same way."""

    args: TrainingArguments
    model: Any
    model_wrapped: Any
    accelerator: Any
    optimizer: Any
    lr_scheduler: Any
    eval_dataset: Any
    processing_class: Any
    compute_metrics: Callable[..., dict[str, Any]] | None
    preprocess_logits_for_metrics: Callable[[Any, Any], Any] | None
    label_names: list[str]
    accepted: set[str] | None
    state: TrainerState
    control: TrainerControl
    callback_handler: CallbackHandler
    is_in_train: bool
    makes_loss = False  # whether compute_loss gives a loss where there are no labels

    # Methods of the trainer's other parts.
    get_eval_dataloader: Callable[..., Any]
    get_test_dataloader: Callable[..., Any]
    compute_loss: Callable[..., Any]
    compute_loss_context_manager: Callable[[], Any]
    log_with_time: Callable[..., None]
    _prepare_input: Callable[[Any], Any]
    _prepare_inputs: Callable[[Any], Any]

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Loss and metrics of a data set (default: the trainer's), each name with the prefix; of a dict of data sets,
        those of each under its name too."""
        chosen = self.eval_dataset if eval_dataset is None else eval_dataset
        if isinstance(chosen, dict):
            metrics: dict[str, float] = {}
            for name, one in chosen.items():
                metrics.update(self.evaluate(one, ignore_keys, f"{metric_key_prefix}_{name}"))
            return metrics
        loader = self.get_eval_dataloader(eval_dataset)
        start = time.time()
        output = self.evaluation_loop(
            loader,
            description="Evaluation",
            prediction_loss_only=True if self.compute_metrics is None else None,
            ignore_keys=ignore_keys,
            metric_key_prefix=metric_key_prefix,
        )
        steps = -(-output.num_samples // (self.args.eval_batch_size * self.args.world_size))
        metrics = {**output.metrics, **speed_metrics(metric_key_prefix, start, output.num_samples, steps)}
        self.log_with_time(metrics, None)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def predict(
        self, test_dataset: Any, ignore_keys: list[str] | None = None, metric_key_prefix: str = "test"
    ) -> PredictionOutput:
        """Predictions for a data set, which may lack labels: arrays (examples, …), filled with -100."""
        loader = self.get_test_dataloader(test_dataset)
        start = time.time()
        output = self.evaluation_loop(
            loader, description="Prediction", ignore_keys=ignore_keys, metric_key_prefix=metric_key_prefix
        )
        steps = -(-output.num_samples // (self.args.eval_batch_size * self.args.world_size))
        metrics = {**output.metrics, **speed_metrics(metric_key_prefix, start, output.num_samples, steps)}
        self.control = self.callback_handler.on_predict(self.args, self.state, self.control, metrics)
        return PredictionOutput(output.predictions, output.label_ids, metrics)

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """What evaluate() and predict() share."""
        loss_only = self.args.prediction_loss_only if prediction_loss_only is None else prediction_loss_only
        return run_over(
            self,
            dataloader,
            loss_only=loss_only,
            ignore_keys=ignore_keys,
            prefix=metric_key_prefix,
            description=description,
        )

    def prediction_step(
        self, model: nn.Module, inputs: Any, prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Any, Any]:
        """(loss, logits, labels) of a batch; what is not there is None, and with prediction_loss_only all but the loss.

        logits: the output's fields but the loss and those in ignore_keys, alone if it is one.
        """
        inputs = self._prepare_inputs(inputs)
        found = [inputs.get(name) for name in self.label_names]
        has_labels = bool(found) and all(value is not None for value in found)
        with torch.no_grad(), self.compute_loss_context_manager():
            if has_labels or self.makes_loss or (inputs.get("return_loss") and self.can_return_loss):
                loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
                loss = loss.detach().mean()
            else:
                loss, outputs = None, model(**inputs)
        if prediction_loss_only:
            return loss, None, None
        logits = answers_in(outputs, loss is not None, self._ignored(ignore_keys))
        labels = tuple(value for value in found if value is not None) if has_labels else ()
        return loss, logits, labels[0] if len(labels) == 1 else labels or None

    @property
    def can_return_loss(self) -> bool:
        """Whether there is a loss without labels: the model has one by return_loss=True (CLIP), or a subclass, whose
        compute_loss makes one, has set this."""
        return self.makes_loss or "return_loss" in (self.accepted or ())

    @can_return_loss.setter
    def can_return_loss(self, value: bool) -> None:
        self.makes_loss = value

    def _ignored(self, ignore_keys: list[str] | None) -> set[str]:
        configured = getattr(getattr(self.model, "config", None), "keys_to_ignore_at_inference", None)
        return {"past_key_values", *(configured or ())} if ignore_keys is None else {"past_key_values", *ignore_keys}

    def wrapped_for_evaluation(self) -> Any:
        """The model as it runs here: the one in training, or on its device, in half precision if the arguments ask."""
        if self.is_in_train or deepspeed.is_partitioned(self.model):
            return self.model_wrapped
        half = torch.float16 if self.args.fp16_full_eval else torch.bfloat16 if self.args.bf16_full_eval else None
        return self.model.to(self.args.device, half)

    def evaluate_in_training(self, ignore_keys: list[str] | None) -> dict[str, float]:
        """An evaluation between two updates: a schedule that waits for its result steps."""
        metrics = self.evaluate(ignore_keys=ignore_keys)
        if type(self.lr_scheduler).__name__ in WAITS_FOR_METRICS:
            self.lr_scheduler.step(metric_of(metrics, self.args.metric_for_best_model or "loss"))
        return metrics

    def _metrics(self, wanted: Any) -> Callable[..., dict[str, Any]] | None:
        """Metrics by name know the tokenizer and the label names; a function is taken as it is."""
        if wanted is None or callable(wanted):
            return wanted
        labels = getattr(getattr(self.model, "config", None), "id2label", None)
        causal = shifts_labels(self.model)
        found: Metric = metric(wanted, tokenizer=self.processing_class, id2label=labels, causal=causal)
        return found
