"""Trainer: HF's training of a model on a data set, as a chain of methods any of which a subclass may replace.

    train ─► Loop.run ─► prepare_training, then for every update:
        get_batch_samples ─► training_step ─► compute_loss (times accumulation) ─► clip_gradients ─► optimizer, schedule
        ─► log, evaluate, save, as the callbacks ask

The training itself is here and in loop.py; in hooks/ are the methods for data, optimizer, evaluation and saving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import checkpoints, deepspeed
from .acceleration import make_accelerator, shards
from .adapters import with_adapters
from .arguments.training_arguments import TrainingArguments
from .batch_size import until_it_fits
from .callbacks.callback import DefaultFlowCallback, TrainerCallback
from .callbacks.handler import CallbackHandler
from .callbacks.progress import default_callbacks
from .callbacks.reporting import report_callbacks
from .callbacks.state import TrainerControl, TrainerState, exported_states
from .checks import check_construction, warn_of_unused_hooks
from .columns import accepted_columns, label_names
from .counting import floating_point_ops
from .hooks.data import DataHooks
from .hooks.evaluation import EvaluationHooks
from .hooks.optimizer import OptimizerHooks
from .hooks.saving import SavingHooks
from .loop import Loop
from .losses import LabelSmoother, check_loss, loss_of_batch, takes, takes_one, uses_item_count
from .preparation import prepare
from .results import BestRun, TrainOutput
from .search import search
from .seeds import enable_full_determinism, set_seed

LOADERS = ("get_train_dataloader", "get_eval_dataloader")


class Trainer(DataHooks, OptimizerHooks, EvaluationHooks, SavingHooks):
    """Train, evaluate and use a model: a nabi model, one wrapped by peft, or any module that returns a loss.

    model, or model_init() that makes one. args: TrainingArguments (default: output in "trainer_output").
    train_dataset, eval_dataset: map-style or iterable sets of dicts; eval_dataset may be a dict of several.
    data_collator: examples -> batch; default: padding, if processing_class (v4: tokenizer) is a tokenizer.
    compute_metrics: EvalPrediction -> dict, or names of metrics ("accuracy", ["f1", "matthews_correlation"]).
    compute_loss_func(outputs, labels, num_items_in_batch): a loss in place of the model's own. optimizers: (optimizer,
    scheduler), None for the usual one. peft_config: the model is wrapped by peft with it, and only that is trained.
    Raises ValueError or TypeError for arguments and data that do not fit, before anything is computed.
    """

    # Whether an own compute_loss has divided by num_items_in_batch; None: it has if its code reads that argument.
    loss_is_scaled_for_ga: bool | None = None

    def __init__(
        self,
        model: Any = None,
        args: TrainingArguments | None = None,
        data_collator: Callable[[list[Any]], Any] | None = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        model_init: Callable[..., Any] | None = None,
        compute_loss_func: Callable[..., Tensor] | None = None,
        compute_metrics: Callable[[Any], dict[str, Any]] | str | list[str] | None = None,
        callbacks: list[TrainerCallback | type[TrainerCallback]] | None = None,
        optimizers: tuple[Any, Any] = (None, None),
        optimizer_cls_and_kwargs: tuple[type, dict[str, Any]] | None = None,
        preprocess_logits_for_metrics: Callable[[Any, Any], Any] | None = None,
        *,
        tokenizer: Any = None,
        peft_config: Any = None,
    ) -> None:
        self.args = TrainingArguments() if args is None else args
        if not isinstance(self.args, TrainingArguments):
            raise TypeError(f"args is a {type(args).__name__}; expected TrainingArguments(output_dir, …)")
        self.args.check()  # again, as a script may have set some by hand
        processing_class = tokenizer if processing_class is None else processing_class
        own = [getattr(type(self), name) is getattr(Trainer, name) for name in LOADERS]
        check_construction(self.args, model, model_init, train_dataset, eval_dataset, optimizers, *own)
        warn_of_unused_hooks(type(self))
        (enable_full_determinism if self.args.full_determinism else set_seed)(self.args.seed)
        self.model_init = model_init
        self.accelerator = make_accelerator(self.args)
        model = self.call_model_init() if model is None else model
        if peft_config is not None:
            model = with_adapters(model, peft_config)
        self.processing_class = processing_class
        self.train_dataset, self.eval_dataset = train_dataset, eval_dataset
        self.compute_loss_func = compute_loss_func
        self.preprocess_logits_for_metrics = preprocess_logits_for_metrics
        self.optimizer, self.lr_scheduler = optimizers
        self.given_optimizers = optimizers
        self.optimizer_cls_and_kwargs = optimizer_cls_and_kwargs
        self._take_model(model)
        self.data_collator = self._default_collator() if data_collator is None else data_collator
        self.compute_metrics = self._metrics(compute_metrics)
        smooth = self.args.label_smoothing_factor
        self.label_smoother = LabelSmoother(smooth) if smooth else None
        self.state = TrainerState(
            is_local_process_zero=self.is_local_process_zero(), is_world_process_zero=self.is_world_process_zero()
        )
        self.control = TrainerControl()
        self.is_in_train = False
        self.push_in_progress: Any = None  # the upload that runs in the background
        self.noise: Any = None  # NEFTune's hook while training
        self.input_dtype: torch.dtype | None = None  # of inputs with a fraction, where an engine holds half weights
        self.share_of_update = 1.0  # of the micro-batch at work, in the items of its update
        self.output_dir = str(self.args.output_dir)  # a search gives each trial its own
        self.callback_handler = CallbackHandler(
            [
                DefaultFlowCallback,
                *report_callbacks(self.args.report_to or []),  # type: ignore[arg-type]
                *(callbacks or []),
                *default_callbacks(self.args),
            ],
            self.model,
            self.processing_class,
            self.optimizer,
            self.lr_scheduler,
        )
        self.control = self.callback_handler.on_init_end(self.args, self.state, self.control)

    def _take_model(self, model: Any) -> None:
        """Make this the model to train."""
        self.model = model
        self.model_wrapped = model
        sharded = shards(self.accelerator) or deepspeed.runs(self.accelerator)
        if self.args.place_model_on_device and not sharded:  # whole, it may not fit
            model.to(self.args.device)
        self.label_names = list(self.args.label_names or label_names(model))
        self.accepted = accepted_columns(model)

    @property
    def tokenizer(self) -> Any:
        """v4's name of processing_class."""
        return self.processing_class

    @tokenizer.setter
    def tokenizer(self, value: Any) -> None:
        self.processing_class = value

    # --- training --------------------------------------------------------------------------------------------

    def train(
        self,
        resume_from_checkpoint: bool | str | Path | None = None,
        trial: Any = None,
        ignore_keys_for_eval: list[str] | None = None,
        model_path: str | None = None,
    ) -> TrainOutput:
        """Train to the end. resume_from_checkpoint: a folder, or True for the last one in the output folder."""
        if resume_from_checkpoint is None:
            resume_from_checkpoint = model_path or self.args.resume_from_checkpoint
        resume = checkpoints.chosen_checkpoint(resume_from_checkpoint, self.output_dir)
        if self.is_world_process_zero():
            checkpoints.sweep(Path(self.output_dir))
        if not self.args.auto_find_batch_size:
            return self._train_once(resume, trial, ignore_keys_for_eval)
        return until_it_fits(self, lambda: self._train_once(resume, trial, ignore_keys_for_eval))

    def _train_once(self, resume: Path | None, trial: Any, ignore_keys: list[str] | None) -> TrainOutput:
        set_seed(self.args.seed) if not self.args.full_determinism else enable_full_determinism(self.args.seed)
        if self.model_init is not None and (trial is not None or self.state.global_step):
            self._take_model(self.call_model_init(trial))
        self.optimizer, self.lr_scheduler = self.given_optimizers
        self.state, self.control = TrainerState(), TrainerControl()
        loop = Loop(self, self.get_train_dataloader(), ignore_keys)
        self.is_in_train = True
        try:
            return loop.run(resume)
        finally:
            self.is_in_train = False
            if self.noise is not None:
                self.noise.remove()
                self.noise = None

    def call_model_init(self, trial: Any = None) -> Any:
        """A fresh model by model_init, which may take the trial of a search."""
        assert self.model_init is not None
        model = self.model_init(trial) if takes_one(self.model_init) else self.model_init()
        if model is None:
            raise ValueError("model_init returned None: it must return the model")
        return model

    def prepare_training(self, max_steps: int, resume_from: Path | None) -> None:
        """Weights, optimizer and schedule as the loop needs them: restored, on the device, wrapped."""
        prepare(self, max_steps, resume_from)
        self.callback_handler.model = self.model
        self.callback_handler.optimizer, self.callback_handler.lr_scheduler = self.optimizer, self.lr_scheduler

    def training_step(self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """Loss and gradients of one micro-batch. Returns its share of the update's loss, detached."""
        if not model.training:
            model.train()
        inputs = self._prepare_inputs(inputs)
        with self.compute_loss_context_manager():
            if takes(self.compute_loss, "num_items_in_batch"):
                loss = self.compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
            else:
                loss = self.compute_loss(model, inputs)
        loss = check_loss(loss)
        if not self._loss_is_scaled():
            loss = loss * self.share_of_update
        self.accelerator.backward(loss)
        return loss.detach()

    def _loss_is_scaled(self) -> bool:
        """Whether compute_loss has divided by the items of the whole update."""
        if self.loss_is_scaled_for_ga is not None:
            return self.loss_is_scaled_for_ga
        own = type(self).compute_loss
        return own is Trainer.compute_loss or uses_item_count(own)

    def compute_loss(
        self, model: nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch, (loss, outputs) if asked for: by the model, compute_loss_func or label smoothing.

        It is the mean over the batch's labels; with num_items_in_batch their sum, divided by that number.
        """
        loss, outputs = loss_of_batch(self, model, inputs, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def compute_loss_context_manager(self) -> Any:
        """Mixed precision, if the arguments ask for it."""
        return self.accelerator.autocast()

    autocast_smart_context_manager = compute_loss_context_manager

    def clip_gradients(self, model: nn.Module) -> Any:
        """The gradients' norm before they are cut to args.max_grad_norm (0: they are left as they are)."""
        limit = self.args.max_grad_norm or float("inf")
        return self.accelerator.clip_grad_norm_(model.parameters(), limit)

    def averaging_factor(self) -> float:
        """Processes average their gradients: where each divides by the items of all, their mean must become a sum."""
        return float(self.args.world_size) if self.args.average_tokens_across_devices else 1.0

    def mean_over_processes(self, value: Tensor | float) -> float:
        if isinstance(value, Tensor) and self.args.world_size > 1:
            return float(self.accelerator.gather(value.reshape(1)).mean())
        return float(value)

    def floating_point_ops(self, inputs: Any) -> int:
        """What a batch costs, forward and backward; 0 where it cannot be told."""
        return floating_point_ops(self.model, inputs)

    # --- callbacks, processes, search ------------------------------------------------------------------------

    def add_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        self.callback_handler.add_callback(callback)

    def pop_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> TrainerCallback | None:
        return self.callback_handler.pop_callback(callback)

    def remove_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        self.callback_handler.remove_callback(callback)

    def remember_callbacks(self) -> None:
        """Put the counters of callbacks into the state, for a checkpoint."""
        parts: Iterable[Any] = [self.control, *self.callback_handler.callbacks]
        self.state.stateful_callbacks = exported_states(parts)

    def restore_callbacks(self) -> None:
        """Give callbacks the counters of the checkpoint that the state was read from."""
        self.callback_handler.restore_states(
            self.state.stateful_callbacks, self.args.restore_callback_states_from_checkpoint
        )

    def is_local_process_zero(self) -> bool:
        return self.args.local_process_index == 0

    def is_world_process_zero(self) -> bool:
        return self.args.process_index == 0

    def hyperparameter_search(
        self,
        hp_space: Callable[[Any], dict[str, Any]] | None = None,
        compute_objective: Callable[[dict[str, float]], Any] | None = None,
        n_trials: int = 20,
        direction: str | list[str] = "minimize",
        backend: str | None = None,
        hp_name: Callable[[Any], str] | None = None,
        **options: Any,
    ) -> BestRun | list[BestRun]:
        """Train once a trial with other arguments, by optuna, and say which were best; needs model_init.

        hp_space(trial): the arguments to try. compute_objective(metrics): what to minimise (default: the loss, or the
        sum of the other metrics). options go to optuna's create_study and optimize.
        """
        return search(self, hp_space, compute_objective, n_trials, direction, backend, hp_name, **options)
