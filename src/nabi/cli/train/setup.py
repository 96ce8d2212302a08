"""The arguments and the trainer of a run of `nabi train`: defaults that suit fine-tuning, and what the user said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...training.arguments.training_arguments import Seq2SeqTrainingArguments, TrainingArguments
from ...training.callbacks.callback import EarlyStoppingCallback
from ..messages import say
from ..options import Problem
from .data import TrainData
from .options import TrainOptions
from .run_folder import RunFolder, StopAfterStep

if TYPE_CHECKING:
    from ...training.tasks.task import Encoded, Task

RATE, RATE_OF_ADAPTERS, RATE_FROM_SCRATCH = 2e-5, 2e-4, 5e-4
LOGS = 0.05  # of all steps: twenty lines


def make_arguments(task: Task, options: TrainOptions, folder: RunFolder, evaluates: bool) -> TrainingArguments:
    """--set wins over everything else. Problem for a name or value that TrainingArguments refuse."""
    batch = options.batch_size or task.usual_batch
    rate = RATE_FROM_SCRATCH if options.from_scratch else RATE_OF_ADAPTERS if options.lora else RATE
    values: dict[str, Any] = {
        "num_train_epochs": options.epochs,
        "per_device_train_batch_size": batch,
        "per_device_eval_batch_size": batch,
        "learning_rate": rate if options.lr is None else options.lr,
        "warmup_steps": 0.06,
        "weight_decay": 0.01,
        "train_sampling_strategy": "group_by_length",
        "logging_steps": LOGS,
        "save_strategy": "epoch",
        "save_total_limit": max(1, options.keep_checkpoints),
        "seed": options.seed,
        "fp16": options.fp16,
        "bf16": options.bf16,
        "use_cpu": options.device == "cpu",
        "restore_callback_states_from_checkpoint": True,
    }
    if evaluates:
        values |= {
            "eval_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": task.best,
            "greater_is_better": task.greater_is_better,
        }
        values |= {"predict_with_generate": True, "generation_num_beams": 1} if task.writes else {}
        values |= writes_at_most(task)
    own = dict(options.set)
    if "eval_strategy" in own or "eval_steps" in own:  # the best checkpoint must be one that was evaluated
        own.setdefault("eval_strategy", "steps")
        own.setdefault("save_strategy", own["eval_strategy"])
        if "eval_steps" in own:
            own.setdefault("save_steps", own["eval_steps"])
    kind = Seq2SeqTrainingArguments if task.writes else TrainingArguments
    try:
        return kind(output_dir=str(folder.checkpoints), **{**values, **own})
    except (TypeError, ValueError) as error:
        raise Problem(say("train_arguments", reason=error)) from error


def writes_at_most(task: Task) -> dict[str, Any]:
    length = getattr(task, "target_length", None)
    return {} if length is None else {"generation_max_length": length}


def check_metrics(task: Task) -> None:
    """Whether the libraries of the metrics are there is known before the training, not after its first epoch."""
    from ...training.metrics import libraries

    for module in task.libraries:
        libraries.needed(module)


def make_trainer(
    task: Task,
    model: Any,
    tokenizer: Any,
    arguments: TrainingArguments,
    encoded: dict[str, Encoded],
    data: TrainData,
    options: TrainOptions,
    stop: StopAfterStep,
    adapters: Any,
    teacher: Any,
) -> Any:
    from ...training.objectives.distillation import DistillationTrainer
    from ...training.seq2seq import Seq2SeqTrainer
    from ...training.trainer import Trainer

    kind: Any = Seq2SeqTrainer if task.writes else Trainer if teacher is None else DistillationTrainer
    rows, evaluation = data.eval, encoded.get("eval")
    callbacks: list[Any] = [stop]
    if options.patience is not None:
        callbacks.append(EarlyStoppingCallback(options.patience))
    return kind(
        model=model,
        args=arguments,
        train_dataset=encoded["train"].examples,
        eval_dataset=None if evaluation is None else evaluation.examples,
        data_collator=task.collator(tokenizer, model),
        processing_class=tokenizer,
        compute_metrics=None if rows is None or evaluation is None else task.metrics(rows, evaluation, tokenizer),
        callbacks=callbacks,
        **({"peft_config": adapters} if adapters is not None else {}),
        **({"teacher": teacher} if teacher is not None else {}),
    )
