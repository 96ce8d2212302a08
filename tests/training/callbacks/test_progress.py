"""Progress in a terminal and in a pipe: what is printed, that it lines up, and who shows it where."""

from __future__ import annotations

import io
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len

from nabi.training.callbacks import pace
from nabi.training.callbacks.callback import PrinterCallback
from nabi.training.callbacks.notebook import NotebookProgressCallback
from nabi.training.callbacks.pace import Pace, clock, speed, time_left
from nabi.training.callbacks.progress import LogTable, ProgressCallback, default_callbacks
from nabi.training.callbacks.state import TrainerState

from .pretended_training import Pretended, arguments


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_pipe_there_is_a_line_per_log_and_no_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pretended(arguments(tmp_path), [ProgressCallback]).run()
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[:4] == [
        "step  epoch       loss  grad_norm  learning_rate",
        "   2   0.50     0.5000     1.5000       5.00e-05",
        "   4   1.00     0.2500     1.5000       5.00e-05",
        "evaluation at step 4   loss 0.2500   정확도 0.8750   f1_macro 0.5000   (0:02, 512 rows/s)",
    ]
    assert len(lines) == 1 + 6 + 3 + 1
    assert lines[-1] == "training   loss 0.5000   (1:15, 3.21 rows/s)"


@pytest.mark.parametrize("columns", [120, 80, 50, 30])
def test_in_a_terminal_a_bar_says_what_fits_beside_the_lines(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (columns, 24))
    ticks = itertools.count(step=0.05)
    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    Pretended(arguments(tmp_path), [ProgressCallback]).run()
    drawn = screen.getvalue().replace("\x1b[A", "\r").replace("\n", "\r").split("\r")
    assert all(cell_len(line) <= columns for line in drawn)
    last = [line for line in drawn if line.startswith("100%|")][-1]
    assert " 12/12" in last
    wanted = ["in all", "loss 0.0833", "steps/s", "rows/s", "lr 5.00e-05"]
    shown = [word for word in wanted if word in last]
    assert shown == wanted[: {120: 5, 80: 4, 50: 2, 30: 0}[columns]]
    assert any(line.startswith("evaluation") for line in drawn)
    assert len(capsys.readouterr().out.splitlines()) == 11


def test_a_resumed_training_begins_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    Pretended(arguments(tmp_path), [ProgressCallback]).run(first=9)
    assert "| 9/12" in screen.getvalue() and "| 0/12" not in screen.getvalue()


def test_an_evaluation_without_training_prints_nothing_and_a_stream_has_a_bar_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    alone = Pretended(arguments(tmp_path), [ProgressCallback])

    class Stream:
        def __iter__(self) -> Any:
            return iter("ab")

    alone.handler.eval_dataloader = Stream()
    alone.evaluate()
    assert "evaluation" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_processes_that_do_not_speak_show_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = Pretended(arguments(tmp_path), [ProgressCallback, NotebookProgressCallback])
    silent.state.is_world_process_zero = False
    silent.run()
    assert capsys.readouterr() == ("", "")


def test_columns_line_up_under_hangul_and_new_ones_are_added_once() -> None:
    table = LogTable(100000, max_str_len=12)
    lines = table.lines({"loss": 0.5, "아주_긴_손실_이름": 12.25, "epoch": 0.5}, 5)
    lines += table.lines({"loss": 123456.7, "아주_긴_손실_이름": -1e-9, "epoch": 10.25}, 50000)
    lines += table.lines({"loss": float("nan"), "epoch": 11.0}, 50001)
    assert [cell_len(line) for line in lines[:3]] == [len("     5   0.50     0.5000            12.2500")] * 3
    assert lines[3].endswith("nan") and len(lines) == 4
    assert table.lines({"text": "x" * 50, "epoch": 1.0}, 6)[1].endswith("xxxxxxxxxxxx… (50 characters)")


def test_speed_is_that_of_steps_and_time_left_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    args: Any = SimpleNamespace(train_batch_size=8, gradient_accumulation_steps=2, world_size=1)
    measured = Pace(args, TrainerState(global_step=10, max_steps=20))
    assert speed(measured) == time_left(measured) == []
    now[0] += 4
    measured.step_done(12)
    now[0] += 96
    measured.something_else_done()
    assert speed(measured) == ["2 s/step", "8 rows/s"]
    assert time_left(measured) == ["6:40 left"]  # 8 steps of 50 s, evaluation included
    now[0] += 1
    measured.step_done(20)
    assert speed(measured) == ["2 steps/s", "32 rows/s"]
    assert time_left(measured) == ["1:41 in all"]
    assert clock(3675.4) == "1:01:15"
    assert Pace(args, TrainerState(train_batch_size=4)).rows_per_step == 8


def test_who_shows_the_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kinds(**changed: Any) -> list[type]:
        return [type(one) for one in default_callbacks(arguments(tmp_path, **changed))]

    assert kinds() == [ProgressCallback]
    assert kinds(disable_tqdm=True) == [PrinterCallback]
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)  # type: ignore[arg-type]
    assert kinds() == [NotebookProgressCallback]
    in_a_terminal = SimpleNamespace(get_ipython=lambda: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", in_a_terminal)  # type: ignore[arg-type]
    assert kinds() == [ProgressCallback]
