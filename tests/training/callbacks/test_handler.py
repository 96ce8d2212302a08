"""The handler: who is called, with what, in which order, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from transformers import trainer_callback as incumbent

from nabi.training.callbacks.callback import (
    EVENTS,
    DefaultFlowCallback,
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
)
from nabi.training.callbacks.handler import CallbackHandler
from nabi.training.callbacks.state import TrainerControl, TrainerState, exported_states

ARGS: Any = SimpleNamespace()


class Recorder(TrainerCallback):
    """Keeps every event and its keywords."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def note(args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.calls.append((name, kwargs))

        return note


def handler(*callbacks: Any) -> CallbackHandler:
    return CallbackHandler([DefaultFlowCallback, *callbacks], "model", "tokenizer", "optimizer", "scheduler")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_reaches_callbacks_with_the_keywords_of_the_incumbent(event: str) -> None:
    extra = {"on_evaluate": ({"eval_loss": 1.0},), "on_predict": ({"test_loss": 1.0},), "on_log": ({"loss": 1.0},)}
    ours, theirs = Recorder(), Recorder()
    args = SimpleNamespace(logging_strategy="no", eval_strategy="no", save_strategy="no", logging_first_step=False)
    for one, recorder, module in [(handler(ours), ours, None), (None, theirs, incumbent)]:
        called: Any = one or incumbent.CallbackHandler(
            [incumbent.DefaultFlowCallback, recorder], "model", "tokenizer", "optimizer", "scheduler"
        )
        called.train_dataloader, called.eval_dataloader = "train", "eval"
        state: Any = (module or SimpleNamespace(TrainerState=TrainerState)).TrainerState(max_steps=9)
        control: Any = TrainerControl(*[True] * 5)
        getattr(called, event)(args, state, control, *extra.get(event, ()))
        recorder.calls.append(("switches", vars(control)))
    assert ours.calls[0][1].pop("tokenizer") == "tokenizer"  # the name that scripts of v4 know
    assert ours.calls == theirs.calls


def test_a_control_that_a_callback_returns_goes_on_to_the_next_and_back() -> None:
    replacement, seen = TrainerControl(should_log=True), []

    class Replace(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> TrainerControl:
            return replacement

    class See(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            seen.append(control)

    several = CallbackHandler([Replace, See], None, None, None, None)
    assert several.on_step_end(ARGS, TrainerState(), TrainerControl()) is replacement
    assert seen == [replacement]


def test_callbacks_are_added_taken_out_and_listed(caplog: pytest.LogCaptureFixture) -> None:
    printer = PrinterCallback()
    one = handler(printer)
    assert one.callback_list == "DefaultFlowCallback\nPrinterCallback"
    assert one.pop_callback(PrinterCallback) is printer and one.pop_callback(PrinterCallback) is None
    one.add_callback(printer)
    assert one.pop_callback(printer) is printer
    one.remove_callback(PrinterCallback)
    with pytest.raises(ValueError, match=r"no such PrinterCallback; it has \['DefaultFlowCallback'\]"):
        one.remove_callback(printer)
    assert not caplog.records
    one.add_callback(DefaultFlowCallback)
    assert "has a DefaultFlowCallback already" in caplog.text


def test_a_trainer_without_the_default_flow_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    CallbackHandler([PrinterCallback], None, None, None, None)
    assert "no DefaultFlowCallback among the callbacks (PrinterCallback)" in caplog.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_step_ends", "did you mean on_step_end?"),
        ("on_train_start", "did you mean on_train_"),
        ("on_evaluation_end", "did you mean on_"),
        ("on_zzz", "the events are on_init_end"),
    ],
)
def test_a_method_that_no_event_calls_is_warned_of(name: str, meant: str, caplog: pytest.LogCaptureFixture) -> None:
    handler(type("Mine", (TrainerCallback,), {name: lambda self, *a, **k: None}))
    assert f"Mine.{name}" in caplog.text and meant in caplog.text


def test_what_cannot_be_called_is_refused_when_it_is_added() -> None:
    with pytest.raises(TypeError, match=r"'print' of the type str is no callback"):
        handler("print")

    class Short(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None) -> None:  # type: ignore[override]
            """Takes no **kwargs."""

    with pytest.raises(TypeError, match=r"Short\.on_log takes no \*\*kwargs"):
        handler(Short)


def test_a_callback_written_for_the_incumbent_works() -> None:
    theirs = incumbent.PrinterCallback()
    control = handler(theirs).on_log(ARGS, TrainerState(), TrainerControl(should_log=True), {"loss": 1.0})
    assert control.should_log is False


def test_an_event_of_ones_own_reaches_those_that_have_it() -> None:
    class Mine(TrainerCallback):
        def on_data_refresh(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            control.should_save = True

    assert handler(Mine).call_event("on_data_refresh", ARGS, TrainerState(), TrainerControl()).should_save


@pytest.mark.parametrize("with_arguments", [False, True])
def test_counters_come_back_in_place_and_arguments_only_if_wanted(with_arguments: bool) -> None:
    kept = [EarlyStoppingCallback(3), EarlyStoppingCallback(4)]
    kept[0].early_stopping_patience_counter, kept[1].early_stopping_patience_counter = 1, 2
    now = [EarlyStoppingCallback(7), PrinterCallback(), EarlyStoppingCallback(8)]
    resumed = handler(*now)
    resumed.restore_states(exported_states([*kept, TrainerControl()]), with_arguments)
    names = [type(one).__name__ for one in resumed.callbacks[1:]]
    assert names == ["EarlyStoppingCallback", "PrinterCallback", "EarlyStoppingCallback"]
    stoppers: list[Any] = [one for one in resumed.callbacks if isinstance(one, EarlyStoppingCallback)]
    assert [one.early_stopping_patience_counter for one in stoppers] == [1, 2]
    assert [one.early_stopping_patience for one in stoppers] == ([3, 4] if with_arguments else [7, 8])


def test_a_kept_counter_with_no_callback_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    handler().restore_states(exported_states([EarlyStoppingCallback(), TrainerControl()]), False)
    assert [record.args for record in caplog.records] == [("EarlyStoppingCallback",)]
