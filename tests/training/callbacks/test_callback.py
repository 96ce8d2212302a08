"""Callbacks: the flow, early stopping and the printer act as the incumbent's, event by event."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import transformers
from transformers import trainer_callback as incumbent

from nabi.training.callbacks.callback import (
    EVENTS,
    DefaultFlowCallback,
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
)
from nabi.training.callbacks.state import TrainerControl, TrainerState


def arguments(**changed: Any) -> Any:
    values = {
        **{"logging_strategy": "steps", "eval_strategy": "no", "save_strategy": "no", "logging_first_step": False},
        **{"eval_delay": 0, "metric_for_best_model": "f1", "greater_is_better": True, "load_best_model_at_end": True},
    }
    return SimpleNamespace(**{**values, **changed})


def test_there_are_the_events_of_the_incumbent_and_each_may_be_called() -> None:
    theirs = {name for name in dir(transformers.TrainerCallback) if name.startswith("on_")}
    assert set(EVENTS) == theirs
    for event in EVENTS:
        assert getattr(TrainerCallback(), event)(arguments(), TrainerState(), TrainerControl(), model=None) is None


@pytest.mark.parametrize("strategy", ["no", "steps", "epoch", "best"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("delay", [0, 5])
def test_the_default_flow_turns_the_switches_of_the_incumbent(strategy: str, first: bool, delay: int) -> None:
    by_steps = "no" if strategy == "best" else strategy
    args = arguments(
        **{"logging_strategy": by_steps, "eval_strategy": by_steps, "save_strategy": strategy},
        **{"logging_first_step": first, "eval_delay": delay},
    )
    ours, theirs = DefaultFlowCallback(), incumbent.DefaultFlowCallback()
    for step, event in itertools.product(range(1, 12), ["on_step_end", "on_epoch_end"]):
        fields: dict[str, Any] = {"global_step": step, "max_steps": 11, "epoch": step / 2, "logging_steps": 3}
        fields |= {"eval_steps": 4, "save_steps": 5 if step < 8 else 0}
        our_control = getattr(ours, event)(args, TrainerState(**fields), TrainerControl())
        their_control = getattr(theirs, event)(args, incumbent.TrainerState(**fields), incumbent.TrainerControl())
        assert vars(our_control) == vars(their_control), (step, event)


@pytest.mark.parametrize("greater", [True, False])
@pytest.mark.parametrize(("patience", "threshold"), [(1, 0.0), (2, 0.05), (3, None), (0, 0.0), (1, -0.5)])
def test_early_stopping_stops_where_the_incumbent_does(greater: bool, patience: int, threshold: float | None) -> None:
    args = arguments(greater_is_better=greater)
    ours = EarlyStoppingCallback(patience, threshold)
    theirs = incumbent.EarlyStoppingCallback(patience, threshold or 0.0)
    best: float | None = None
    for value in [0.5, 0.6, 0.62, float("nan"), 0.7, 0.55, 0.55, 0.4, 0.8, 0.9, float("inf"), 0.3, 0.2]:
        our_control, their_control = TrainerControl(), incumbent.TrainerControl()
        metrics = {"eval_f1": value}
        ours.on_evaluate(args, TrainerState(best_metric=best), our_control, metrics=metrics)
        theirs.on_evaluate(args, incumbent.TrainerState(best_metric=best), their_control, metrics=metrics)
        assert our_control.should_training_stop == their_control.should_training_stop
        assert ours.state()["attributes"] == theirs.state()["attributes"]
        if best is None or (value > best if greater else value < best):
            best = value


def test_early_stopping_says_before_training_what_it_lacks(caplog: pytest.LogCaptureFixture) -> None:
    callback, state, control = EarlyStoppingCallback(), TrainerState(), TrainerControl()
    with pytest.raises(ValueError, match="set metric_for_best_model"):
        callback.on_train_begin(arguments(metric_for_best_model=None), state, control)
    with pytest.raises(ValueError, match="set eval_strategy"):
        callback.on_train_begin(arguments(), state, control)
    callback.on_train_begin(arguments(eval_strategy="epoch", load_best_model_at_end=False), state, control)
    assert "load_best_model_at_end=True" in caplog.text
    with pytest.raises(ValueError, match="early_stopping_patience is -1"):
        EarlyStoppingCallback(-1)


def test_early_stopping_warns_when_the_metric_is_missing_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    control = TrainerControl()
    EarlyStoppingCallback(0).on_evaluate(arguments(), TrainerState(), control, metrics={"eval_loss": 1.0})
    assert not control.should_training_stop
    assert "eval_f1" in caplog.text and "eval_loss" in caplog.text


def test_early_stopping_goes_on_counting_after_a_resume() -> None:
    callback = EarlyStoppingCallback(5, 0.1)
    for _ in range(3):
        callback.check_metric_value(arguments(), TrainerState(best_metric=1.0), TrainerControl(), 0.5)
    again = EarlyStoppingCallback.from_state(callback.state())
    assert vars(again) == vars(callback) and again.early_stopping_patience_counter == 3


def test_the_printer_prints_what_the_incumbents_prints_and_leaves_the_logs_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs = {"loss": 0.123456, "epoch": 1.0, "정확도": 0.9, "total_flos": 1e9, "note": "hi", "step": 3}
    PrinterCallback().on_log(arguments(), TrainerState(), TrainerControl(), logs=logs)
    ours = capsys.readouterr().out
    assert "total_flos" in logs
    incumbent.PrinterCallback().on_log(arguments(), incumbent.TrainerState(), incumbent.TrainerControl(), logs=logs)
    assert ours == capsys.readouterr().out != ""
    PrinterCallback().on_log(arguments(), TrainerState(is_local_process_zero=False), TrainerControl(), logs=logs)
    assert capsys.readouterr().out == ""
