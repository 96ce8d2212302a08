"""A training that dies at any moment goes on, from its last checkpoint, as if nothing had happened."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from nabi.training import checkpoints

from . import resume_script as script
from . import tiny

pytestmark = pytest.mark.xdist_group("resumed")  # the run without a break, to compare with, is made once
TIMES = ("runtime", "per_second")


@pytest.fixture(scope="module")
def processes() -> Any:
    """Children are forked from a server that has imported everything and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([script.__name__])
    return context


def child(processes: Any, *given: Any, **named: Any) -> int | None:
    """The exit code of a training in a process of its own: 0, or -9 if it was killed."""
    process = processes.Process(target=script.run, args=given, kwargs=named)
    process.start()
    process.join(60)
    return process.exitcode


def remains(folder: Path) -> dict[str, Any]:
    """What a run left: its last checkpoint to the bit, all that it logged but the times, the data it saw in order."""
    last = Path(str(checkpoints.get_last_checkpoint(folder)))
    optimizer = torch.load(last / "optimizer.pt", weights_only=True)
    moments = {place: {name: one.tolist() for name, one in each.items()} for place, each in optimizer["state"].items()}
    state = json.loads((last / "trainer_state.json").read_text(encoding="utf-8"))
    log = [{name: v for name, v in row.items() if not name.endswith(TIMES)} for row in state.pop("log_history")]
    return {
        "step": state["global_step"],
        "weights": (last / "model.safetensors").read_bytes(),
        "optimizer": moments,
        "log": log,
        "state": {name: v for name, v in state.items() if "checkpoint" not in name},
        "loop": (last / "loop.json").read_text(encoding="utf-8"),
        "folders": [path.name for path in checkpoints.checkpoints(folder)],
        "half written": [path.name for path in folder.glob(f"{checkpoints.UNFINISHED}*")],
    }


@pytest.fixture(scope="module")
def uninterrupted(processes: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    done: dict[str, dict[str, Any]] = {}

    def of(variant: str) -> dict[str, Any]:
        if variant not in done:
            folder = tmp_path_factory.mktemp("whole")
            assert child(processes, folder, variant) == 0
            done[variant] = remains(folder)
        return done[variant]

    return of


# Before the first checkpoint, in the middle of an update, between update and checkpoint, in an evaluation, and while a
# checkpoint is being written: the first one, later ones, at its first file and at its last.
DEATHS: dict[str, list[dict[str, Any]]] = {
    "in_an_update_twice": [{"event": "on_substep_end", "step": 7}, {"event": "on_pre_optimizer_step", "step": 12}],
    "before_any_checkpoint": [{"event": "on_step_end", "step": 3}],
    "in_an_evaluation": [{"event": "on_prediction_step", "step": 8}],
    "while_the_first_checkpoint_is_written": [{"syncs": 4}],
    "while_checkpoints_are_written": [{"syncs": 15}, {"syncs": 1}, {"syncs": 11}],
    "after_the_last_update": [{"event": "on_train_end", "step": 18}],
}


@pytest.mark.parametrize("deaths", DEATHS.values(), ids=DEATHS)
def test_a_killed_training_that_is_resumed_ends_exactly_as_an_uninterrupted_one(
    deaths: list[dict[str, Any]], processes: Any, uninterrupted: Any, tmp_path: Path
) -> None:
    for death in deaths:
        resume = checkpoints.get_last_checkpoint(tmp_path) is not None
        assert child(processes, tmp_path, resume=resume, **death) == -9
    resume = checkpoints.get_last_checkpoint(tmp_path) is not None
    assert child(processes, tmp_path, resume=resume) == 0
    assert not (tmp_path / "error.txt").exists()
    assert remains(tmp_path) == uninterrupted("usual")


def test_a_kill_from_outside_at_any_time_is_survived_too(processes: Any, uninterrupted: Any, tmp_path: Path) -> None:
    deaths = 0
    while deaths < 3:
        resume = checkpoints.get_last_checkpoint(tmp_path) is not None
        process = processes.Process(target=script.run, args=(tmp_path,), kwargs={"resume": resume})
        process.start()
        time.sleep(0.15 + 0.12 * deaths)
        process.kill()
        process.join()
        deaths += 1
    resume = checkpoints.get_last_checkpoint(tmp_path) is not None
    assert child(processes, tmp_path, resume=resume) == 0
    assert remains(tmp_path) == uninterrupted("usual")


@pytest.mark.parametrize("variant", [name for name in script.VARIANTS if name != "usual"])
def test_the_same_holds_for_every_way_to_read_data(
    variant: str, processes: Any, uninterrupted: Any, tmp_path: Path
) -> None:
    assert child(processes, tmp_path, variant, event="on_substep_end", step=8) == -9
    assert child(processes, tmp_path, variant, resume=True) == 0
    assert not (tmp_path / "error.txt").exists()
    assert remains(tmp_path) == uninterrupted(variant)


def test_a_run_that_dies_right_after_a_checkpoint_at_an_epochs_end_still_ends_that_epoch(
    processes: Any, uninterrupted: Any, tmp_path: Path
) -> None:
    assert child(processes, tmp_path, "by epoch", event="on_save", step=6) == -9
    assert child(processes, tmp_path, "by epoch", resume=True) == 0
    assert remains(tmp_path) == uninterrupted("by epoch")


def test_an_exception_of_ones_own_can_be_resumed_after(processes: Any, uninterrupted: Any, tmp_path: Path) -> None:
    child(processes, tmp_path, event="on_substep_end", step=9, how="raise")
    assert (tmp_path / "error.txt").read_text(encoding="utf-8") == "KeyError: 'a fault in the callback'"
    (tmp_path / "error.txt").unlink()
    assert child(processes, tmp_path, resume=True) == 0
    assert remains(tmp_path) == uninterrupted("usual")


# --- no room ------------------------------------------------------------------------------------------------------


def test_no_room_for_a_checkpoint_is_one_clear_error_and_the_last_one_stays_good(
    processes: Any, uninterrupted: Any, tmp_path: Path
) -> None:
    child(processes, tmp_path, largest=20_000)
    error = (tmp_path / "error.txt").read_text(encoding="utf-8")
    assert error.startswith("OSError") and "checkpoint-10 could not be written" in error
    assert str(tmp_path / "checkpoint-5") in error and "save_total_limit" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-5", "error.txt"]
    (tmp_path / "error.txt").unlink()
    assert child(processes, tmp_path, resume=True) == 0
    assert not (tmp_path / "error.txt").exists()
    assert remains(tmp_path) == uninterrupted("usual")


def test_a_full_disk_is_one_clear_error_and_the_last_checkpoint_stays_good(
    processes: Any, uninterrupted: Any, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=500k", "none", str(disk)]).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        child(processes, disk)
        error = (disk / "error.txt").read_text(encoding="utf-8")
        assert error.startswith("OSError") and "checkpoint-10 could not be written" in error
        assert [path.name for path in checkpoints.checkpoints(disk)] == ["checkpoint-5"]
        assert not list(disk.glob(f"{checkpoints.UNFINISHED}*"))
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(disk / "checkpoint-5", elsewhere / "checkpoint-5")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert child(processes, elsewhere, resume=True) == 0
    assert remains(elsewhere) == uninterrupted("usual")


# --- checkpoints that are none ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    script.make(folder, max_steps=6, save_steps=3, eval_strategy="no").train()
    return folder


def without(name: str) -> Any:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Any:
    def shorten(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])

    return shorten


DAMAGE = [
    (cut("optimizer.pt"), "optimizer.pt is no whole optimizer state"),
    (cut("scheduler.pt"), "scheduler.pt is no whole schedule"),
    (cut("trainer_state.json"), "trainer_state.json is no JSON"),
    (cut("loop.json"), "loop.json is no whole"),
    (cut("model.safetensors"), "model.safetensors"),
    (without("trainer_state.json"), "is no whole checkpoint: it has no trainer_state.json"),
    (without("optimizer.pt"), "holds no optimizer.pt"),
    (without("model.safetensors"), "checkpoint-6"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE, ids=[says for _, says in DAMAGE])
def test_a_damaged_checkpoint_is_a_clear_error(damage: Any, says: str, good: Path, tmp_path: Path) -> None:
    shutil.copytree(good / "checkpoint-6", tmp_path / "checkpoint-6")
    damage(tmp_path / "checkpoint-6")
    trainer = script.make(tmp_path, max_steps=9)
    with pytest.raises((OSError, ValueError), match=says) as caught:
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert "checkpoint-6" in str(caught.value)


def test_true_takes_the_last_whole_checkpoint_and_passes_over_half_written_ones(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path / "out")
    without("trainer_state.json")(tmp_path / "out" / "checkpoint-6")
    (tmp_path / "out" / f"{checkpoints.UNFINISHED}checkpoint-9").mkdir()
    trainer = script.make(tmp_path / "out", max_steps=6, save_strategy="no", eval_strategy="no")
    trainer.train(resume_from_checkpoint=True)
    assert len(trainer.callback_handler.callbacks) and trainer.state.global_step == 6
    assert not (tmp_path / "out" / f"{checkpoints.UNFINISHED}checkpoint-9").exists()
    with pytest.raises(ValueError, match="holds no whole checkpoint"):
        script.make(tmp_path / "none").train(resume_from_checkpoint=True)


@pytest.mark.parametrize("other", [{"hidden_size": 8}, {"num_hidden_layers": 3}, {"vocab_size": 70}], ids=str)
def test_a_checkpoint_of_another_model_is_a_clear_error(other: dict[str, int], good: Path, tmp_path: Path) -> None:
    trainer = script.make(tmp_path, model=tiny.bert("ForMaskedLM", **other))
    with pytest.raises(ValueError, match="it is a checkpoint of another model"):
        trainer.train(resume_from_checkpoint=str(good / "checkpoint-6"))


def test_the_best_checkpoint_outlives_the_limit_and_comes_back_at_the_end(tmp_path: Path) -> None:
    together = {"save_steps": 2, "eval_steps": 2, "save_total_limit": 2, "load_best_model_at_end": True}
    trainer = script.make(tmp_path, **together, max_steps=14, learning_rate=2.0)
    trainer.train()
    log = {row["step"]: row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row}
    best = min(log, key=lambda step: log[step])
    assert best < 12
    assert trainer.state.best_model_checkpoint == str(tmp_path / f"checkpoint-{best}")
    assert [path.name for path in checkpoints.checkpoints(tmp_path)] == [f"checkpoint-{best}", "checkpoint-14"]
    assert trainer.evaluate()["eval_loss"] == pytest.approx(log[best], abs=1e-6)
