"""What a training remembers (TrainerState) and what its callbacks may ask of it (TrainerControl).

The state of each checkpoint is a file trainer_state.json; its layout is the one of transformers, so that a training
begun there goes on here, and the other way round.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)


class ExportableState:
    """What a callback inherits to have its counters kept in a checkpoint and given back on resume.

    state() returns {"args": what __init__ takes, "attributes": what changed since}, all of it JSON.

        class Patience(TrainerCallback, ExportableState):
            def __init__(self, limit=3):
                self.limit, self.seen = limit, 0

            def state(self):
                return {"args": {"limit": self.limit}, "attributes": {"seen": self.seen}}
    """

    def state(self) -> dict[str, dict[str, Any]]:
        raise NotImplementedError(f"{type(self).__name__} inherits ExportableState, so it needs a method state()")

    @classmethod
    def from_state(cls, state: dict[str, dict[str, Any]]) -> Any:
        """A new instance from what state() gave."""
        instance = cls(**state["args"])
        for name, value in state["attributes"].items():
            setattr(instance, name, value)
        return instance


def exported_states(candidates: Iterable[Any]) -> dict[str, Any]:
    """Class name -> state() of those candidates that are an ExportableState; several of one class give a list."""
    by_class: dict[str, list[dict[str, Any]]] = {}
    for one in candidates:
        if isinstance(one, ExportableState):
            by_class.setdefault(type(one).__name__, []).append(one.state())
    return {name: states[0] if len(states) == 1 else states for name, states in by_class.items()}


@dataclass
class TrainerControl(ExportableState):
    """The switches that callbacks turn; the trainer's loop obeys them.

    should_training_stop and should_epoch_stop end the training or the epoch after this step; should_log,
    should_evaluate and should_save hold for this step. The handler turns each off when its time has passed.
    """

    should_training_stop: bool = False
    should_epoch_stop: bool = False
    should_save: bool = False
    should_evaluate: bool = False
    should_log: bool = False

    def state(self) -> dict[str, dict[str, Any]]:
        return {"args": {one.name: getattr(self, one.name) for one in fields(self)}, "attributes": {}}


@dataclass
class TrainerState:
    """Where a training stands. A step is one update of the weights, however many batches went into it.

    epoch: how many epochs are done, with a fraction (1.5: in the middle of the second).
    global_step, max_steps: updates done and to do. num_train_epochs: epochs to do, rounded up.
    logging_steps, eval_steps, save_steps: every how many steps, ratios already turned into steps.
    train_batch_size: rows per device, once auto_find_batch_size may have changed it.
    num_input_tokens_seen: tokens so far, if they are counted. total_flos: floating point operations so far.
    log_history: every log with its "step" and "epoch", oldest first.
    best_metric, best_global_step, best_model_checkpoint: the best evaluation so far, its step, its folder.
    is_local_process_zero, is_world_process_zero: whether this process speaks for its machine, for all machines.
    is_hyper_param_search, trial_name, trial_params: set within a hyperparameter search.
    stateful_callbacks: class name -> state() of callbacks; a list of ExportableState is turned into that.
    """

    epoch: float = 0
    global_step: int = 0
    max_steps: int = 0
    logging_steps: int = 500
    eval_steps: int = 500
    save_steps: int = 500
    train_batch_size: int | None = None
    num_train_epochs: int = 0
    num_input_tokens_seen: int = 0
    total_flos: float = 0
    log_history: list[dict[str, Any]] = field(default_factory=list)
    best_metric: float | None = None
    best_global_step: int | None = None
    best_model_checkpoint: str | None = None
    is_local_process_zero: bool = True
    is_world_process_zero: bool = True
    is_hyper_param_search: bool = False
    trial_name: str | None = None
    trial_params: dict[str, Any] | None = None
    stateful_callbacks: Any = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.log_history is None:
            self.log_history = []
        if not isinstance(self.stateful_callbacks, dict):
            callbacks = list(self.stateful_callbacks or [])
            for callback in callbacks:
                if not isinstance(callback, ExportableState):
                    raise TypeError(
                        f"stateful_callbacks holds {type(callback).__name__}, which does not inherit ExportableState"
                    )
            self.stateful_callbacks = exported_states(callbacks)

    def save_to_json(self, json_path: str | Path) -> None:
        """Write the state to a JSON file. NumPy and torch scalars in the logs become numbers."""
        content = {one.name: getattr(self, one.name) for one in fields(self)}
        text = json.dumps(content, indent=2, sort_keys=True, default=json_number)
        Path(json_path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load_from_json(cls, json_path: str | Path) -> TrainerState:
        """Read what save_to_json wrote, here or in transformers; ValueError if the file holds no such state."""
        try:
            content = json.loads(Path(json_path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{json_path} is no JSON, perhaps cut off while it was written: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(
                f"{json_path} holds a {type(content).__name__} where the fields of a training's state are due"
            )
        known = {one.name for one in fields(cls)}
        unknown = sorted(content.keys() - known)
        if unknown:
            logger.warning("%s has fields that nabi does not know and leaves out: %s", json_path, ", ".join(unknown))
        return cls(**{name: value for name, value in content.items() if name in known})

    def compute_steps(self, args: TrainingArguments, max_steps: int) -> None:
        """Take logging_steps, eval_steps and save_steps from args; a ratio below 1 is one of max_steps."""
        for name in ("logging_steps", "eval_steps", "save_steps"):
            steps = getattr(args, name)
            if steps is not None:
                setattr(self, name, math.ceil(max_steps * steps) if steps < 1 else steps)

    def init_training_references(self, trainer: Any, max_steps: int, num_train_epochs: int, trial: Any) -> None:
        """Note at the start of a training how long it is, which process this is and which trial, if any."""
        if trainer.hp_name is not None and trainer._trial is not None:
            self.trial_name = trainer.hp_name(trainer._trial)
        # An Optuna trial carries its parameters; other searches hand over the parameters themselves.
        self.trial_params = getattr(trial, "params", trial)
        self.max_steps = max_steps
        self.num_train_epochs = num_train_epochs
        self.is_local_process_zero = trainer.is_local_process_zero()
        self.is_world_process_zero = trainer.is_world_process_zero()


def json_number(value: Any) -> Any:
    if getattr(value, "size", None) == 1 or (hasattr(value, "numel") and value.numel() == 1):
        return value.item()
    raise TypeError(f"{value!r} of the type {type(value).__name__} cannot be kept in JSON: log numbers and strings")
