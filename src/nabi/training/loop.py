"""The training loop: epochs of updates, each of one or several micro-batches.

batches ─► items counted ─► loss, backward (times accumulation) ─► clip ─► optimizer, schedule ─► log, evaluate, save
"""

from __future__ import annotations

import logging
import math
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from . import best, checkpoints, counting, deepspeed, saving
from .batches import begin_epoch, dataset_of, length_of
from .checks import not_finite
from .losses import count_items, shifts_labels
from .optimization.schedules import WAITS_FOR_METRICS
from .reports.curves import save_curves
from .reports.publishing import wait_for_push
from .results import TrainOutput, speed_metrics
from .saving import Progress

if TYPE_CHECKING:
    from .trainer import Trainer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How long to train. batches_in_epoch is None for data that has no length."""

    batches_in_epoch: int | None
    epochs: int
    max_steps: int

    @classmethod
    def of(cls, args: Any, loader: Any) -> Plan:
        """Raises ValueError if the data has no length and max_steps does not say how long to train."""
        batches = length_of(loader)
        if batches is None:
            if args.max_steps <= 0:
                raise ValueError(
                    "the train_dataset has no length, so that epochs cannot be counted: set max_steps in the arguments"
                )
            return cls(None, sys.maxsize, args.max_steps)
        updates = -(-batches // args.gradient_accumulation_steps)
        if args.max_steps > 0:
            return cls(batches, -(-args.max_steps // updates), args.max_steps)
        return cls(batches, math.ceil(args.num_train_epochs), math.ceil(args.num_train_epochs * updates))

    def epoch_after(self, epoch: int, batches: int, accumulated: int) -> float:
        """The epoch as users count, with a fraction."""
        whole = self.batches_in_epoch or self.max_steps * accumulated
        return epoch + batches / whole


class Loop:
    """One call of train(): its plan, and where it stands."""

    def __init__(self, trainer: Trainer, loader: Any, ignore_keys: list[str] | None) -> None:
        self.trainer, self.loader, self.ignore_keys = trainer, loader, ignore_keys
        self.plan = Plan.of(trainer.args, loader)
        self.progress = Progress(order=saving.order_of(trainer, self.plan.batches_in_epoch))
        self.shifted = shifts_labels(trainer.model)
        self.loss_sum: Tensor | float = 0.0  # of updates since the last log, on the device: reading it would wait
        self.norm: Any = None  # of the last update's gradient
        self.rate: float | None = None  # and its learning rate
        self.start_time = self.first_step = 0.0

    # --- beginning and end -----------------------------------------------------------------------------------

    def run(self, resume_from: Path | None) -> TrainOutput:
        trainer, args, plan = self.trainer, self.trainer.args, self.plan
        trainer.prepare_training(plan.max_steps, resume_from)
        if resume_from is not None:
            self.progress = saving.resume(trainer, resume_from, plan.batches_in_epoch)
            self.loss_sum = self.progress.loss_of(args.process_index, args.world_size)
            self.norm, self.rate = self.progress.norm, self.progress.rate
            trainer.restore_callbacks()
        state = trainer.state
        state.max_steps, state.num_train_epochs = plan.max_steps, plan.epochs
        state.train_batch_size = args.train_batch_size
        state.is_local_process_zero, state.is_world_process_zero = (
            trainer.is_local_process_zero(),
            trainer.is_world_process_zero(),
        )
        state.compute_steps(args, plan.max_steps)
        self.first_step = state.global_step
        trainer.callback_handler.train_dataloader = self.loader
        self.start_time = time.time()
        trainer.model_wrapped.zero_grad()
        trainer.control = trainer.callback_handler.on_train_begin(args, state, trainer.control)
        if args.eval_on_start and resume_from is None:
            trainer.evaluate_in_training(self.ignore_keys)
        if resume_from is not None:
            saving.restore_generators(trainer, resume_from)
            if self.progress.closing:
                self.close_epoch()
        while self.progress.epoch < plan.epochs and not trainer.control.should_training_stop:
            if state.global_step >= plan.max_steps:
                break
            self.run_epoch(first=self.progress.batches)
        return self.finish()

    def finish(self) -> TrainOutput:
        trainer, state = self.trainer, self.trainer.state
        self.progress.loss_total += trainer.mean_over_processes(self.loss_sum)
        steps = state.global_step - self.first_step
        loss = self.progress.loss_total / max(state.global_step, 1)
        rows = length_of(dataset_of(self.loader))
        done = rows * trainer.args.num_train_epochs * steps / max(state.max_steps, 1) if rows else None
        if trainer.args.max_steps > 0 or rows is None:
            done = steps * trainer.total_train_batch_size()
        metrics = speed_metrics("train", self.start_time, num_samples=done, num_steps=int(steps))
        metrics["total_flos"] = state.total_flos
        metrics["train_loss"] = loss
        trainer.is_in_train = False
        trainer.log_with_time(metrics, None)
        if trainer.args.load_best_model_at_end and state.best_model_checkpoint:
            trainer._load_best_model()
        if trainer.is_world_process_zero():
            save_curves(state.log_history, trainer.output_dir)
            wait_for_push(trainer)
        trainer.control = trainer.callback_handler.on_train_end(trainer.args, state, trainer.control)
        return TrainOutput(state.global_step, loss, metrics)

    # --- an epoch, an update ---------------------------------------------------------------------------------

    def run_epoch(self, first: int) -> None:
        trainer, args, plan, progress = self.trainer, self.trainer.args, self.plan, self.progress
        handler, state = trainer.callback_handler, trainer.state
        batches = begin_epoch(self.loader, progress.epoch, first)
        ran_out = False
        if first == 0:
            trainer.control = handler.on_epoch_begin(args, state, trainer.control)
        while not (trainer.control.should_epoch_stop or trainer.control.should_training_stop):
            micro, count = trainer.get_batch_samples(batches, args.gradient_accumulation_steps, args.device)
            if not micro:
                ran_out = True
                break
            trainer.control = handler.on_step_begin(args, state, trainer.control)
            self.update(micro, count)
            progress.batches += len(micro)
            state.global_step += 1
            state.epoch = plan.epoch_after(progress.epoch, progress.batches, args.gradient_accumulation_steps)
            ended = progress.batches == plan.batches_in_epoch
            if ended:  # a checkpoint that is saved now goes on with the next epoch
                progress.epoch, progress.batches, progress.closing = progress.epoch + 1, 0, True
            trainer.control = handler.on_step_end(args, state, trainer.control)
            self.log_evaluate_save()
            if ended:
                break
        if progress.batches == 0 and not state.global_step:
            raise ValueError("the train_dataset has no examples: there is nothing to train on")
        if ran_out:
            if progress.batches == 0:
                raise ValueError("the train_dataset gives no more examples: it can be read once only")
            progress.epoch, progress.batches = progress.epoch + 1, 0
        elif trainer.control.should_epoch_stop and progress.batches:
            progress.epoch, progress.batches = progress.epoch + 1, 0
        self.close_epoch()

    def close_epoch(self) -> None:
        trainer = self.trainer
        trainer.control = trainer.callback_handler.on_epoch_end(trainer.args, trainer.state, trainer.control)
        self.progress.closing = False
        self.log_evaluate_save()

    def update(self, micro: list[Any], count: Any) -> None:
        """One update of the weights from several micro-batches."""
        trainer, args, model = self.trainer, self.trainer.args, self.trainer.model_wrapped
        if count == 0:
            self.note_no_labels()
        shares = self.shares(micro, count)
        loss: Any = 0.0
        for number, (inputs, share) in enumerate(zip(micro, shares, strict=True)):
            last = number + 1 == len(micro)
            trainer.accelerator.gradient_state._set_sync_gradients(last)
            with nullcontext() if last else trainer.accelerator.no_sync(model):
                trainer.share_of_update = share
                loss = loss + trainer.training_step(model, inputs, count)
            counting.count(trainer, inputs)
            if not last:
                trainer.control = trainer.callback_handler.on_substep_end(args, trainer.state, trainer.control)
        self.check(loss, "loss", micro)
        self.loss_sum = self.loss_sum + loss
        self.progress.loss_steps += 1
        engine = deepspeed.runs(trainer.accelerator)
        if not engine:
            self.norm = trainer.clip_gradients(model)
            self.check_norm(micro)
        trainer.control = trainer.callback_handler.on_pre_optimizer_step(args, trainer.state, trainer.control)
        trainer.optimizer.step()
        if engine:  # it clips as it steps
            self.norm = trainer.optimizer.norm
            self.check_norm(micro)
        trainer.control = trainer.callback_handler.on_optimizer_step(args, trainer.state, trainer.control)
        self.rate = trainer.learning_rate()
        skipped = trainer.accelerator.optimizer_step_was_skipped
        if not skipped and type(trainer.lr_scheduler).__name__ not in WAITS_FOR_METRICS:
            trainer.lr_scheduler.step()
        model.zero_grad()

    def shares(self, micro: list[Any], count: Any) -> list[float]:
        """The part of the update's items that each micro-batch has."""
        trainer = self.trainer
        own = [count_items(inputs, trainer.label_names, self.shifted) for inputs in micro]
        total = float(count) if count is not None else float(sum(own))
        factor = trainer.averaging_factor()
        return [factor * items / total if total else 0.0 for items in own]

    def note_no_labels(self) -> None:
        """An update none of whose labels counts teaches nothing. The first one is a fault of the data, unless a
        collator chooses the labels by chance."""
        trainer, step = self.trainer, self.trainer.state.global_step
        if step == self.first_step and not getattr(trainer.data_collator, "mlm", False):
            raise ValueError(
                f"the {' and '.join(trainer.label_names)} of the first update are all -100, which counts for "
                "nothing: look at how they are made; was all but the prompt cut off by truncation, or every word "
                "labelled -100?"
            )
        logger.warning("step %d has no label that counts, all are -100: it teaches nothing", step + 1)

    def check_norm(self, micro: list[Any]) -> None:
        if isinstance(self.norm, Tensor):
            self.check(self.norm, "gradient's norm", micro)

    def check(self, value: Tensor, what: str, micro: list[Any]) -> None:
        """What is no finite number ends the training: the weights of the update before it are still good."""
        first = self.trainer.state.global_step == self.first_step
        if value.device.type != "cpu" and not first:
            return  # looking would wait for the device; it is looked at when it is logged
        self.refuse(float(value), what, micro)

    def refuse(self, value: float, what: str, micro: list[Any]) -> None:
        if math.isfinite(value) or self.trainer.args.fp16:
            return
        step = self.trainer.state.global_step + 1
        rate = self.trainer.learning_rate()
        last = checkpoints.get_last_checkpoint(self.trainer.output_dir)
        cause = not_finite(self.trainer.model, micro) or (
            "look for labels or inputs that are no numbers, or lower learning_rate and max_grad_norm"
        )
        raise ValueError(
            f"the {what} of step {step} is {value} (learning rate {rate:.3g}): {cause}; "
            + (f"the last good checkpoint is {last}" if last else "no checkpoint was written yet")
        )

    # --- after an update -------------------------------------------------------------------------------------

    def log_evaluate_save(self) -> None:
        trainer = self.trainer
        control = trainer.control
        if control.should_log and self.progress.loss_steps:
            self.log()
        if control.should_evaluate:
            metrics = trainer.evaluate_in_training(self.ignore_keys)
            is_best = best.note(trainer, metrics)
            if str(getattr(trainer.args.save_strategy, "value", trainer.args.save_strategy)) == "best":
                trainer.control.should_save = is_best
        if trainer.control.should_save:
            self.save()
            trainer.control = trainer.callback_handler.on_save(trainer.args, trainer.state, trainer.control)

    def log(self) -> None:
        trainer, progress = self.trainer, self.progress
        total = trainer.mean_over_processes(self.loss_sum)
        self.refuse(total, "loss", [])
        logs: dict[str, float] = {"loss": total / progress.loss_steps}
        if self.norm is not None:
            logs["grad_norm"] = float(self.norm)
        if self.rate is not None:
            logs["learning_rate"] = self.rate
        progress.loss_total += total
        self.loss_sum, progress.loss_steps = 0.0, 0
        trainer.log_with_time(logs, self.start_time)

    def save(self) -> None:
        trainer = self.trainer
        folder = Path(trainer.output_dir) / f"{checkpoints.PREFIX}-{trainer.state.global_step}"
        if trainer.state.best_global_step == trainer.state.global_step:
            trainer.state.best_model_checkpoint = str(folder)
        trainer.remember_callbacks()
        self.progress.norm = None if self.norm is None else float(self.norm)
        self.progress.rate = self.rate
        self.progress.loss_sums = saving.gathered(trainer.accelerator, float(self.loss_sum))
        saving.save(trainer, replace(self.progress))
        if trainer.args.push_to_hub:
            trainer._push_from_checkpoint(str(folder))
