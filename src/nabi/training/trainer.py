"""Trainer: HF's training of a model on a data set. Each method is a hook that a subclass may replace; the loop, the
evaluation, the batches, the checkpoints stand in the modules beside it."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from . import best, checkpoints, deepspeed, saving
from .acceleration import is_sharded, make_accelerator, shards
from .adapters import with_adapters
from .arguments.training_arguments import TrainingArguments
from .batches import dataset_of, eval_loader, is_map_style, length_of, train_loader
from .callbacks.callback import DefaultFlowCallback, TrainerCallback
from .callbacks.handler import CallbackHandler
from .callbacks.progress import default_callbacks
from .callbacks.reporting import report_callbacks
from .callbacks.state import TrainerControl, TrainerState, exported_states
from .checks import check_construction, check_dataset, warn_of_unused_hooks
from .collators import DataCollatorWithPadding, default_data_collator
from .columns import LABELS, KeepColumns, accepted_columns, label_names, lengths_of, without_unused
from .counting import floating_point_ops
from .evaluation import answers_in, run_over
from .loop import WAITS_FOR_METRICS, Loop
from .losses import (
    LabelSmoother,
    check_loss,
    count_items,
    loss_of_batch,
    shifts_labels,
    takes,
    takes_one,
    uses_item_count,
)
from .metrics import Metric, metric
from .optimization.decay import decay_groups
from .optimization.optimizers import assembled, optimizer_class_and_settings
from .optimization.schedules import get_scheduler
from .results import EvalLoopOutput, PredictionOutput, TrainOutput, speed_metrics
from .seeds import enable_full_determinism, set_seed

if TYPE_CHECKING:
    from .results import BestRun

logger = logging.getLogger(__name__)


LOADERS = ("get_train_dataloader", "get_eval_dataloader")


class Trainer:
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
    makes_loss = False  # whether compute_loss gives a loss where there are no labels

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

    def _default_collator(self) -> Callable[[list[Any]], Any]:
        if hasattr(self.processing_class, "pad"):
            return DataCollatorWithPadding(self.processing_class)
        return default_data_collator

    def _metrics(self, wanted: Any) -> Callable[..., dict[str, Any]] | None:
        """Metrics by name know the tokenizer and the label names; a function is taken as it is."""
        if wanted is None or callable(wanted):
            return wanted
        labels = getattr(getattr(self.model, "config", None), "id2label", None)
        causal = shifts_labels(self.model)
        found: Metric = metric(wanted, tokenizer=self.processing_class, id2label=labels, causal=causal)
        return found

    @property
    def tokenizer(self) -> Any:
        """v4's name of processing_class."""
        return self.processing_class

    @tokenizer.setter
    def tokenizer(self, value: Any) -> None:
        self.processing_class = value

    # --- data ------------------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> DataLoader:
        """Batches of the training set for this process; a subclass may return any loader that can be iterated."""
        if self.train_dataset is None:
            raise ValueError("train() needs a train_dataset: pass one to Trainer(…)")
        dataset, collate = self._of_model(self.train_dataset, "train_dataset")
        sampler = self._get_train_sampler(dataset) if takes_one(self._get_train_sampler) else self._get_train_sampler()
        return train_loader(dataset, collate, self.args, self._lengths(dataset), sampler)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """HF's hook for an order of one's own: a torch Sampler of row numbers. None: args.train_sampling_strategy."""
        return None

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Batches of an evaluation set: one given, one of the dict by its name, or the trainer's own."""
        if isinstance(eval_dataset, str):
            eval_dataset = self.eval_dataset[eval_dataset]
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        if dataset is None:
            raise ValueError("evaluate() needs an eval_dataset: pass one to Trainer(…) or to evaluate(…)")
        return self._evaluation_loader(dataset, "eval_dataset")

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader:
        return self._evaluation_loader(test_dataset, "test_dataset")

    def _evaluation_loader(self, dataset: Any, what: str) -> DataLoader:
        dataset, collate = self._of_model(dataset, what)
        return eval_loader(dataset, collate, self.args, self._lengths(dataset))

    def _of_model(self, dataset: Any, what: str) -> tuple[Any, Callable[[list[Any]], Any]]:
        """The dataset and a collator, without the columns that the model does not take."""
        check_dataset(dataset, what)
        if not self.args.remove_unused_columns or self.accepted is None:
            return dataset, self.data_collator
        accepted = {*self.accepted, *self.label_names, *getattr(self.data_collator, "reads", ())}
        by_length = self.args.train_sampling_strategy == "group_by_length"
        dataset = without_unused(dataset, accepted, {self.args.length_column_name} if by_length else set(), what)
        return dataset, KeepColumns(self.data_collator, {*accepted, *LABELS}, what)

    def _lengths(self, dataset: Any) -> list[int] | None:
        if self.args.train_sampling_strategy != "group_by_length" or not is_map_style(dataset):
            return None
        return lengths_of(dataset, self.args.length_column_name)

    def num_examples(self, dataloader: Any) -> int:
        """How many examples a loader goes through."""
        found = length_of(dataset_of(dataloader))
        return (length_of(dataloader) or 0) * self.args.per_device_train_batch_size if found is None else found

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], int | None]:
        """The micro-batches of an update, and how many labels count in them, in all processes together."""
        batches = list(itertools.islice(epoch_iterator, num_batches))
        shifted = shifts_labels(self.model)
        count = sum(count_items(inputs, self.label_names, shifted) for inputs in batches)
        if self.args.world_size > 1 and self.args.average_tokens_across_devices:
            count = int(self.accelerator.gather(torch.tensor([count], device=device)).sum())
        return batches, count

    def averaging_factor(self) -> float:
        """Processes average their gradients: where each divides by the items of all, their mean must become a sum."""
        return float(self.args.world_size) if self.args.average_tokens_across_devices else 1.0

    def _prepare_input(self, data: Any) -> Any:
        if isinstance(data, Tensor):
            dtype = self.input_dtype if data.is_floating_point() else None
            return data.to(self.args.device, dtype, non_blocking=True)
        if isinstance(data, Mapping):
            return {name: self._prepare_input(value) for name, value in data.items()}
        if isinstance(data, (list, tuple)):
            return type(data)(self._prepare_input(value) for value in data)
        return data

    def _prepare_inputs(self, inputs: Any) -> Any:
        """A batch on the device."""
        prepared = self._prepare_input(inputs)
        if isinstance(prepared, Mapping) and not prepared:
            raise ValueError(
                "the batch has no inputs: every column was removed as none is an argument of the model "
                f"({', '.join(sorted(self.accepted or ()))})"
            )
        return prepared

    # --- optimizer and schedule ------------------------------------------------------------------------------

    def create_optimizer_and_scheduler(self, num_training_steps: int) -> None:
        self.create_optimizer()
        self.create_scheduler(num_training_steps, self.optimizer)

    def create_optimizer(self, model: Any = None) -> Any:
        """The optimizer of args.optim over the weights that learn, with no decay on biases and norms."""
        if self.optimizer is None:
            model = self.model if model is None else model
            if self.optimizer_cls_and_kwargs is not None:
                kind, options = self.optimizer_cls_and_kwargs
                self.optimizer = kind(decay_groups(model, self.args.weight_decay), **options)
            else:
                kind, options = self.get_optimizer_cls_and_kwargs(self.args, model)
                self.optimizer = assembled(kind, options, model, self.args.weight_decay)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        if self.lr_scheduler is None:
            self.lr_scheduler = get_scheduler(
                self.args.lr_scheduler_type,
                optimizer=saving.bare(self.optimizer if optimizer is None else optimizer),
                num_warmup_steps=self.args.get_warmup_steps(num_training_steps),
                num_training_steps=num_training_steps,
                scheduler_specific_kwargs=self.args.lr_scheduler_kwargs,  # type: ignore[arg-type]  # a dict by now
            )
        return self.lr_scheduler

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments, model: Any = None) -> tuple[Any, dict[str, Any]]:
        """The class of args.optim, and what it is made with beside the weights; groups of weights of one's own may
        stand there as "optimizer_dict"."""
        return optimizer_class_and_settings(args, model)

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """The weights that weight_decay shrinks."""
        decayed = {id(weight) for weight in decay_groups(model, 1.0)[0]["params"]}
        return [name for name, weight in model.named_parameters() if id(weight) in decayed]

    def learning_rate(self) -> float:
        rate = self.optimizer.param_groups[0]["lr"]
        return float(rate)

    _get_learning_rate = learning_rate

    def get_learning_rates(self) -> list[float]:
        """Of every group of weights; ValueError before there is an optimizer."""
        return [float(group["lr"]) for group in self._made_optimizer().param_groups]

    def get_optimizer_group(self, param: Any = None) -> Any:
        """All groups of weights, or the one that holds this weight."""
        groups = self._made_optimizer().param_groups
        if param is None:
            return groups
        return next((group for group in groups if any(one is param for one in group["params"])), None)

    def _made_optimizer(self) -> Any:
        if self.optimizer is None:
            raise ValueError("there is no optimizer before train(): call create_optimizer() first")
        return self.optimizer

    def get_num_trainable_parameters(self) -> int:
        """How many numbers of the model learn."""
        return sum(weight.numel() for weight in self.model.parameters() if weight.requires_grad)

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
        from .batch_size import until_it_fits

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
        from .preparation import prepare

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

    def mean_over_processes(self, value: Tensor | float) -> float:
        if isinstance(value, Tensor) and self.args.world_size > 1:
            return float(self.accelerator.gather(value.reshape(1)).mean())
        return float(value)

    def total_train_batch_size(self) -> int:
        """Examples in one update, over accumulation and all processes."""
        return self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size

    def floating_point_ops(self, inputs: Any) -> int:
        """What a batch costs, forward and backward; 0 where it cannot be told."""
        return floating_point_ops(self.model, inputs)

    # --- evaluation ------------------------------------------------------------------------------------------

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
        """The model as it runs here: the one in training, or placed and cast for an evaluation by itself."""
        from .preparation import for_evaluation

        return self.model_wrapped if self.is_in_train else for_evaluation(self)

    def evaluate_in_training(self, ignore_keys: list[str] | None) -> dict[str, float]:
        """An evaluation between two updates: a schedule that waits for its result steps."""
        metrics = self.evaluate(ignore_keys=ignore_keys)
        if type(self.lr_scheduler).__name__ in WAITS_FOR_METRICS:
            self.lr_scheduler.step(best.metric_of(metrics, self.args.metric_for_best_model or "loss"))
        return metrics

    # --- logs ------------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the epoch, keep the entry in state.log_history, and tell the callbacks."""
        logs["epoch"] = self.state.epoch
        if self.args.include_num_input_tokens_seen != "no":
            logs["num_input_tokens_seen"] = self.state.num_input_tokens_seen
        self.state.log_history.append({**logs, "step": self.state.global_step})
        self.control = self.callback_handler.on_log(self.args, self.state, self.control, logs)

    def log_with_time(self, logs: dict[str, float], start_time: float | None) -> None:
        """log(), which in scripts of v4 takes the logs alone."""
        if takes(self.log, "start_time"):
            self.log(logs, start_time)
        else:
            self.log(logs)

    def log_metrics(self, split: str, metrics: dict[str, float]) -> None:
        """Print metrics as a small table."""
        from .reports.metric_files import log_metrics

        log_metrics(self, split, metrics)

    def save_metrics(self, split: str, metrics: dict[str, float], combined: bool = True) -> None:
        """Write metrics to <split>_results.json in the output folder, and add them to all_results.json."""
        from .reports.metric_files import save_metrics

        save_metrics(self, split, metrics, combined)

    def save_state(self) -> None:
        """Write trainer_state.json into the output folder."""
        if self.is_world_process_zero():
            Path(self.output_dir).mkdir(parents=True, exist_ok=True)
            self.state.save_to_json(str(Path(self.output_dir) / checkpoints.STATE))

    def plot(self, path: str | Path | None = None) -> Any:
        """The curves of this training as a matplotlib figure, written to `path` if given (the extra `train`)."""
        from .reports.curves import plot

        figure = plot(self.state.log_history)
        if path is not None:
            figure.savefig(path)
        return figure

    # --- saving ----------------------------------------------------------------------------------------------

    @property
    def is_fsdp_enabled(self) -> bool:
        return shards(self.accelerator)

    @property
    def is_deepspeed_enabled(self) -> bool:
        return deepspeed.runs(self.accelerator)

    @property
    def shards_weights(self) -> bool:
        """Whether each process holds a part of the weights only."""
        return is_sharded(self.model)

    def whole_state_dict(self) -> dict[str, Tensor] | None:
        """The weights put together where processes hold parts of them (every process calls this); else None."""
        if deepspeed.is_partitioned(self.model):
            return deepspeed.model_state(self.model)
        return saving.model_state(self) if self.shards_weights else None

    def save_model(
        self, output_dir: str | Path | None = None, _internal_call: bool = False, *, merge_adapter: bool = False
    ) -> None:
        """Write model, processing class and arguments into a folder (default: the output folder).

        merge_adapter: of a model with adapters of peft, write the whole model with the adapters worked in.
        """
        folder = Path(self.output_dir if output_dir is None else output_dir)
        weights = self.whole_state_dict()
        if self.args.should_save:
            folder.mkdir(parents=True, exist_ok=True)
            self.write_model(folder, weights, merge_adapter=merge_adapter)
        self.accelerator.wait_for_everyone()
        if self.args.push_to_hub and not _internal_call:
            self.push_to_hub(commit_message="Model save")

    def write_model(self, folder: Path, weights: dict[str, Tensor] | None, *, merge_adapter: bool = False) -> None:
        """The files of the model as it is now, for save_model and for every checkpoint."""
        if merge_adapter:
            saving.write_files(self, saving.merged(self.model), folder, weights)
        else:
            self._save(str(folder), weights)

    # HF's names for what is written into a checkpoint's folder and read from it: subclasses have their own.

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        saving.write_files(self, self.model, Path(output_dir or self.output_dir), state_dict)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        model = self.model if model is None else model
        with deepspeed.whole_weights(model, write=True):
            checkpoints.restore_weights(model, Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        best.load(self)

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        """Upload after a checkpoint was saved, as args.hub_strategy says."""
        from .reports.publishing import push_checkpoint

        push_checkpoint(self, Path(checkpoint_folder))

    def create_model_card(self, **facts: Any) -> None:
        """Write README.md into the output folder: what was trained, on what, how, with which results."""
        from .reports.publishing import create_model_card

        if self.is_world_process_zero():
            create_model_card(self, **facts)

    def push_to_hub(self, commit_message: str = "End of training", blocking: bool = True, **options: Any) -> str | None:
        """Save model and card to the output folder, and upload it to args.hub_model_id. Returns the commit's URL."""
        from .reports.publishing import push_to_hub

        return push_to_hub(self, commit_message, blocking, **options)

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
        from .search import search

        return search(self, hp_space, compute_objective, n_trials, direction, backend, hp_name, **options)
