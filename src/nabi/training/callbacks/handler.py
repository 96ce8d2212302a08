"""Who calls the callbacks: the trainer's loop tells the handler of an event, the handler tells every callback."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .callback import EVENTS, DefaultFlowCallback, TrainerCallback
from .state import ExportableState, TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)


class CallbackHandler(TrainerCallback):
    """The callbacks of a trainer, called in order at each event; the last control that one returns is the result."""

    def __init__(
        self,
        callbacks: Iterable[TrainerCallback | type[TrainerCallback]],
        model: Any,
        processing_class: Any,
        optimizer: Any,
        lr_scheduler: Any,
    ) -> None:
        self.callbacks: list[TrainerCallback] = []
        self.model = model
        self.processing_class = processing_class
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.train_dataloader: Any = None
        self.eval_dataloader: Any = None
        for callback in callbacks:
            self.add_callback(callback)
        if not any(isinstance(callback, DefaultFlowCallback) for callback in self.callbacks):
            logger.warning(
                "no DefaultFlowCallback among the callbacks (%s): nothing logs, evaluates, saves or ends the training "
                "unless one of them does",
                self.callback_list.replace("\n", ", ") or "there are none",
            )

    def add_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        """Add an instance, or a class that is then built without arguments. TypeError if it cannot be called."""
        added = callback() if isinstance(callback, type) else callback
        check_events(added)
        if type(added) in {type(one) for one in self.callbacks}:
            logger.warning("the trainer has a %s already; now it has one more", type(added).__name__)
        self.callbacks.append(added)

    def pop_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> TrainerCallback | None:
        """Take a callback out and return it: this one, or the first of this class; None if there is none."""
        for position, one in enumerate(self.callbacks):
            if isinstance(one, callback) if isinstance(callback, type) else one == callback:
                return self.callbacks.pop(position)
        return None

    def remove_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        """Take a callback out: this one (ValueError if it is not there), or the first of this class, if any."""
        if self.pop_callback(callback) is None and not isinstance(callback, type):
            raise ValueError(f"the trainer has no such {type(callback).__name__}; it has {self.callback_list.split()}")

    @property
    def callback_list(self) -> str:
        """The class names, one a line."""
        return "\n".join(type(callback).__name__ for callback in self.callbacks)

    def restore_states(self, states: dict[str, Any], with_arguments: bool) -> None:
        """Give counters kept in a checkpoint (TrainerState.stateful_callbacks) back to the callbacks they belong to.

        with_arguments: also what their __init__ took then wins over what it took now.
        """
        for name, kept in states.items():
            positions = [at for at, one in enumerate(self.callbacks) if type(one).__name__ == name]
            for at, state in zip(positions, kept if isinstance(kept, list) else [kept], strict=False):
                callback = self.callbacks[at]
                if with_arguments and isinstance(callback, ExportableState):
                    self.callbacks[at] = type(callback).from_state(state)
                else:
                    for attribute, value in state.get("attributes", {}).items():
                        setattr(callback, attribute, value)
            if not positions and name != "TrainerControl":
                logger.warning("the checkpoint holds the state of a %s, which this trainer does not have", name)

    def call_event(
        self, event: str, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Call the method named event on every callback that has it, in order."""
        for callback in self.callbacks:
            method = getattr(callback, event, None)
            if method is None:
                continue
            answer = method(
                *(args, state, control),
                model=self.model,
                processing_class=self.processing_class,
                tokenizer=self.processing_class,
                optimizer=self.optimizer,
                lr_scheduler=self.lr_scheduler,
                train_dataloader=self.train_dataloader,
                eval_dataloader=self.eval_dataloader,
                **kwargs,
            )
            control = control if answer is None else answer
        return control

    def on_init_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_init_end", args, state, control, **kwargs)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        control.should_training_stop = False
        return self.call_event("on_train_begin", args, state, control, **kwargs)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_train_end", args, state, control, **kwargs)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        control.should_epoch_stop = False
        return self.call_event("on_epoch_begin", args, state, control, **kwargs)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_epoch_end", args, state, control, **kwargs)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        control.should_log = control.should_evaluate = control.should_save = False
        return self.call_event("on_step_begin", args, state, control, **kwargs)

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_pre_optimizer_step", args, state, control, **kwargs)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_optimizer_step", args, state, control, **kwargs)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_substep_end", args, state, control, **kwargs)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_step_end", args, state, control, **kwargs)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> TrainerControl:
        control.should_evaluate = False
        return self.call_event("on_evaluate", args, state, control, metrics=metrics, **kwargs)

    def on_predict(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_predict", args, state, control, metrics=metrics, **kwargs)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        control.should_save = False
        return self.call_event("on_save", args, state, control, **kwargs)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> TrainerControl:
        control.should_log = False
        return self.call_event("on_log", args, state, control, logs=logs, **kwargs)

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_prediction_step", args, state, control, **kwargs)

    def on_push_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        return self.call_event("on_push_begin", args, state, control, **kwargs)


def check_events(callback: Any) -> None:
    """TypeError for what is no callback or cannot take an event's keywords; a warning for a name no event has."""
    kind = type(callback).__name__
    methods = [name for name in dir(type(callback)) if name.startswith("on_")]
    if not set(methods) & set(EVENTS):
        raise TypeError(f"{callback!r} of the type {kind} is no callback: derive its class from TrainerCallback")
    for name in methods:
        if name not in EVENTS:
            near = difflib.get_close_matches(name, EVENTS, n=1)
            meant = f"did you mean {near[0]}?" if near else f"the events are {', '.join(EVENTS)}"
            logger.warning("%s.%s: no event of a training has this name, %s", kind, name, meant)
            continue
        parameters = inspect.signature(getattr(callback, name)).parameters.values()
        if all(one.kind is not one.VAR_KEYWORD for one in parameters):
            raise TypeError(
                f"{kind}.{name} takes no **kwargs, but an event passes the model, the optimizer and more: write "
                f"def {name}(self, args, state, control, **kwargs)"
            )
