"""The curves: which panels, which points, no trace in pyplot, letters that can be read, errors before a blank page."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nabi.training.reports.curves import font_with, panels_of, plot, save_curves

from ..callbacks.pretended_training import Pretended, arguments

LOG = {"step": 5, "epoch": 1.0}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return Pretended(arguments(tmp_path_factory.mktemp("out")), []).run()


def test_each_kind_of_value_has_its_panel_and_its_points(history: list[dict[str, Any]]) -> None:
    figure = plot([*history, {**LOG, "eval_perplexity": 12.5, "step": 12}])
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["loss", "metrics", "gradient norm", "learning rate", "Perplexity"]
    training, validation = panels["loss"].get_lines()[:2]
    assert (training.get_label(), validation.get_label()) == ("training", "validation")
    assert training.get_xdata().tolist() == [2, 4, 6, 8, 10, 12]
    assert training.get_ydata().tolist() == pytest.approx([1 / step for step in range(2, 13, 2)])
    assert validation.get_xydata().tolist() == [[4, 0.25], [8, 0.25], [12, 0.25]]
    assert [line.get_label() for line in panels["metrics"].get_lines()[:2]] == ["정확도", "F1 Macro"]


def test_epochs_are_marked_where_they_end(history: list[dict[str, Any]]) -> None:
    axes = plot(history).axes[0]
    marks = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert marks == [4, 8, 12]
    assert [text.get_text() for text in axes.texts] == ["epoch 1", "2", "3"]
    many = plot([{"step": step, "epoch": step / 10, "loss": 1.0} for step in range(1, 1001)]).axes[0]
    assert [text.get_text() for text in many.texts] == ["epoch 10", *map(str, range(20, 101, 10))]


def test_what_is_no_curve_is_left_out_and_what_is_not_finite_is_said() -> None:
    panels = panels_of([
        {**LOG, "loss": np.float32(0.5), "note": "text", "flag": True, "num_input_tokens_seen": 9, "eval_runtime": 1.0},
        {"loss": 1.0},
        {"step": 9, "train_runtime": 3.0, "train_loss": 0.75},
    ])  # fmt: skip
    assert panels == {"loss": {"training": [(5, 0.5)]}}
    line = plot([{"step": 1, "loss": 1.0}, {"step": 2, "loss": math.inf}]).axes[0].get_lines()[0]
    assert line.get_label() == "training (1 of 2 not finite)"


@pytest.mark.parametrize("history", [[], [{"step": 3, "epoch": 1.0, "train_runtime": 3.0}], [{"step": 1, "note": "x"}]])
def test_nothing_to_draw_is_an_error_for_plot_and_no_file_for_save(history: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw: train with logging_steps"):
        plot(history)
    assert save_curves(history, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_missing_matplotlib_is_named_by_plot_and_passed_over_by_save(
    history: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "nabi\[train\]"'):
        plot(history)
    assert save_curves(history, tmp_path) is None


def test_the_picture_is_written_with_hangul_and_pyplot_is_not_touched(
    history: list[dict[str, Any]], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = save_curves(history, tmp_path / "new")
    assert path == tmp_path / "new" / "training_curves.png"
    assert path.read_bytes().startswith(b"\x89PNG") and plot(history)._repr_png_().startswith(b"\x89PNG")
    if font_with(set("정확도")):
        assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
    code = "import sys, nabi.training.reports.curves as c; c.plot([{'step': 1, 'loss': 1.0}]); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "matplotlib.figure" in loaded and "matplotlib.pyplot" not in loaded and "torch" not in loaded


def test_letters_that_no_font_has_are_warned_of(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    figure = plot([{"step": 1, "eval_loss": 1.0, "eval_\U0001f98b\ue123": 0.5}])
    assert isinstance(figure, Figure)  # boxes are better than no picture
    assert "no installed font has the letters" in caplog.text and "fonts-nanum" in caplog.text
