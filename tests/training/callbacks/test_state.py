"""The state of a training: its file is the incumbent's, both ways, and counters of callbacks survive it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from nabi.training.callbacks.callback import EarlyStoppingCallback, PrinterCallback
from nabi.training.callbacks.state import TrainerControl, TrainerState, exported_states

FULL: dict[str, Any] = {
    **{"epoch": 1.5, "global_step": 30, "max_steps": 60, "num_train_epochs": 3, "eval_steps": 10},
    **{"log_history": [{"loss": 0.5, "step": 10, "메모": "한글"}, {"loss": float("nan"), "step": 20}]},
    **{"best_metric": 0.9, "best_global_step": 20, "best_model_checkpoint": "out/checkpoint-20"},
    **{"trial_params": {"learning_rate": 1e-4}, "train_batch_size": 8, "total_flos": 1e12},
}


def test_the_file_is_the_incumbents_to_the_byte(tmp_path: Path) -> None:
    ours = TrainerState(**FULL, stateful_callbacks=[EarlyStoppingCallback(3), TrainerControl(should_log=True)])
    theirs = transformers.TrainerState(
        **FULL,
        stateful_callbacks=[transformers.EarlyStoppingCallback(3), transformers.TrainerControl(should_log=True)],
    )
    ours.save_to_json(tmp_path / "ours.json")
    theirs.save_to_json(str(tmp_path / "theirs.json"))
    assert (tmp_path / "ours.json").read_bytes() == (tmp_path / "theirs.json").read_bytes()


def test_each_loads_the_others_file(tmp_path: Path) -> None:
    file = str(tmp_path / "trainer_state.json")
    history = FULL["log_history"][:1]  # nan is not equal to itself
    transformers.TrainerState(**{**FULL, "log_history": history}).save_to_json(file)
    ours = TrainerState.load_from_json(file)
    assert ours == TrainerState(**{**FULL, "log_history": history})
    ours.save_to_json(file)
    assert vars(transformers.TrainerState.load_from_json(file)) == vars(ours)


def test_scalars_of_numpy_and_torch_are_kept_as_numbers_and_other_things_refused(tmp_path: Path) -> None:
    state = TrainerState(log_history=[{"f1": np.float32(0.5), "acc": torch.tensor(0.25), "n": np.int64(3)}])
    state.save_to_json(tmp_path / "state.json")
    assert TrainerState.load_from_json(tmp_path / "state.json").log_history == [{"f1": 0.5, "acc": 0.25, "n": 3}]
    with pytest.raises(TypeError, match=r"array.*cannot be kept in JSON"):
        TrainerState(log_history=[{"f1": np.zeros(2)}]).save_to_json(tmp_path / "state.json")


@pytest.mark.parametrize(("text", "says"), [('{"epoch": 1', "cut off"), ("[1]", "holds a list"), ("", "cut off")])
def test_a_file_that_holds_no_state_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(ValueError, match=rf"state\.json.*{says}"):
        TrainerState.load_from_json(tmp_path / "state.json")


def test_a_field_of_a_later_version_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"global_step": 7, "new_field": 1}))
    assert TrainerState.load_from_json(tmp_path / "state.json").global_step == 7
    assert "new_field" in caplog.text


@pytest.mark.parametrize(
    ("logging_steps", "eval_steps", "save_steps"), [(10, None, 500), (0.1, 0.33, 0.5), (1, 0.001, 7)]
)
def test_ratios_become_steps_as_the_incumbent_rounds_them(logging_steps: Any, eval_steps: Any, save_steps: Any) -> None:
    args = SimpleNamespace(logging_steps=logging_steps, eval_steps=eval_steps, save_steps=save_steps)
    ours, theirs = TrainerState(), transformers.TrainerState()
    ours.compute_steps(args, 37)  # type: ignore[arg-type]
    theirs.compute_steps(args, 37)
    assert vars(ours) == vars(theirs)


def test_references_of_a_training_are_noted() -> None:
    trainer = SimpleNamespace(
        hp_name=lambda trial: f"trial {trial.number}",
        _trial=(trial := SimpleNamespace(number=4, params={"learning_rate": 0.1})),
        is_local_process_zero=lambda: True,
        is_world_process_zero=lambda: False,
    )
    state = TrainerState()
    state.init_training_references(trainer, 100, 3, trial)
    assert (state.trial_name, state.trial_params) == ("trial 4", {"learning_rate": 0.1})
    assert (state.max_steps, state.num_train_epochs, state.is_world_process_zero) == (100, 3, False)
    state.init_training_references(SimpleNamespace(**{**vars(trainer), "_trial": None}), 1, 1, {"seed": 3})
    assert state.trial_params == {"seed": 3}


def test_states_of_several_callbacks_of_one_class_are_a_list() -> None:
    states = exported_states([EarlyStoppingCallback(1), PrinterCallback(), EarlyStoppingCallback(2)])
    assert [one["args"]["early_stopping_patience"] for one in states["EarlyStoppingCallback"]] == [1, 2]
    assert list(states) == ["EarlyStoppingCallback"]
    with pytest.raises(TypeError, match="PrinterCallback"):
        TrainerState(stateful_callbacks=[PrinterCallback()])


def test_a_control_is_rebuilt_from_its_state() -> None:
    control = TrainerControl(should_save=True, should_training_stop=True)
    assert TrainerControl.from_state(control.state()) == control
