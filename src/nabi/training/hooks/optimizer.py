"""Which optimizer moves the weights, on which schedule, and what can be asked of them."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..arguments.training_arguments import TrainingArguments
from ..optimization.decay import decay_groups
from ..optimization.optimizers import assembled, optimizer_class_and_settings
from ..optimization.schedules import get_scheduler
from ..saving import bare


class OptimizerHooks:
    """The optimizer of args.optim and the schedule of args.lr_scheduler_type, unless others were given or made."""

    args: TrainingArguments
    model: Any
    optimizer: Any
    lr_scheduler: Any
    optimizer_cls_and_kwargs: tuple[type, dict[str, Any]] | None

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
                optimizer=bare(self.optimizer if optimizer is None else optimizer),
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

    # What can be asked of them.

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
