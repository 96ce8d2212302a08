"""A run of `nabi train` on disk: what its folder holds, whether it can go on, and how Ctrl-C leaves it."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...training.callbacks.callback import TrainerCallback
from ..messages import say
from ..options import Problem
from .data import fingerprints
from .options import TrainOptions, differences, read_values

CHECKPOINTS, RUN, RESULTS, AGAIN = "checkpoints", "run.json", "results.json", "train.yaml"


class RunFolder:
    """--output: checkpoints/ with run.json while it trains; the model, results.json and train.yaml when it is done."""

    def __init__(self, output: str) -> None:
        self.path = Path(output).expanduser()
        self.checkpoints = self.path / CHECKPOINTS

    def begun(self) -> dict[str, Any]:
        """The settings and data of the run in the folder; empty if there is none, or if it is done."""
        try:
            found: dict[str, Any] = json.loads((self.checkpoints / RUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def settings_of_last(self) -> dict[str, Any]:
        """Those of the interrupted run. Problem if there is none."""
        run = self.begun()
        if not run or self.last_checkpoint() is None:
            done = (self.path / RESULTS).exists()
            raise Problem(say("train_done" if done else "train_nothing_there", path=str(self.path)), code=1)
        return read_values(run["settings"], RUN)

    def last_checkpoint(self) -> Path | None:
        from ...training.checkpoints import get_last_checkpoint

        found = get_last_checkpoint(self.checkpoints)
        return None if found is None else Path(found)

    def check_new(self, overwrite: bool) -> None:
        """Problem if the folder holds a model or an interrupted run, unless they may go."""
        if self.path.exists() and not self.path.is_dir():
            raise Problem(say("train_no_folder", path=str(self.path)), code=1)
        if overwrite:
            return
        if self.begun() and self.last_checkpoint():
            raise Problem(say("train_interrupted_there", path=str(self.path)), code=1)
        if (self.path / "config.json").exists():
            raise Problem(say("train_output_held", path=str(self.path)), code=1)

    def check_resumed(self, options: TrainOptions) -> None:
        """Problem if there is nothing to go on with, or if it was trained with other settings or data."""
        changed = differences(self.settings_of_last(), options)
        if changed:
            raise Problem(say("train_other_settings", changed="; ".join(changed)), code=1)
        then = self.begun()["data"]
        other = [name for name, now in fingerprints(options).items() if then.get(name) != now]
        if other:
            raise Problem(say("train_other_data", files=", ".join(other)), code=1)

    def begin(self, options: TrainOptions) -> None:
        """Take the place of what was there, and note what this run is."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        try:
            self.checkpoints.mkdir(parents=True)
        except OSError as error:
            raise Problem(say("train_no_folder", path=str(self.path)), code=1) from error
        (self.path / RESULTS).unlink(missing_ok=True)
        run = {"settings": options.plain(), "data": fingerprints(options)}
        (self.checkpoints / RUN).write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def end(self, keep: int) -> None:
        """Remove what the training kept for itself, but for the newest `keep` checkpoints."""
        from ...training.checkpoints import checkpoints

        kept = checkpoints(self.checkpoints)[-keep:] if keep else []
        for one in self.checkpoints.iterdir():
            if one.is_dir() and one not in kept:
                shutil.rmtree(one, ignore_errors=True)
            elif not one.is_dir():
                one.unlink()
        if not kept:
            self.checkpoints.rmdir()


class StopAfterStep(TrainerCallback):
    """The first Ctrl-C saves a checkpoint after the step at work, and then interrupts; the second one does at once."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self.heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def heard(self, *_: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\n" + say("train_stopping"), file=sys.stderr, flush=True)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.asked:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
