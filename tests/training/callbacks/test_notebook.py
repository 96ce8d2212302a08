"""Progress in a notebook: the table's rows and columns, in a real kernel as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nabi.training.callbacks.notebook import NotebookProgressCallback, Page

from .pretended_training import EVALUATION, Pretended, arguments


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(HTML, text) of every drawing."""
    drawn: list[tuple[str, str]] = []
    monkeypatch.setattr(Page, "draw", lambda page: drawn.append((page.html(), page.text())))
    return drawn


def table_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()[1:]]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("epoch", [["1", "0.2500"], ["2", "0.1250"], ["3", "0.0833"]]),
        ("steps", [["4", "0.2500"], ["8", "0.1250"], ["12", "0.0833"]]),
        (
            "no",
            [["2", "0.5000"], ["4", "0.2500"], ["6", "0.1667"], ["8", "0.1250"], ["10", "0.1000"], ["12", "0.0833"]],
        ),
    ],
)
def test_there_is_a_row_per_evaluation_or_per_log_without_one(
    strategy: str, expected: list[list[str]], tmp_path: Path, pages: list[tuple[str, str]]
) -> None:
    Pretended(arguments(tmp_path, eval_strategy=strategy), [NotebookProgressCallback]).run()
    head, *rows = table_of(pages[-1][1])
    columns = ["Epoch" if strategy == "epoch" else "Step", "Training Loss"]
    if strategy != "no":
        columns += ["Validation Loss", "정확도", "F1 Macro"]
        expected = [[*row, "0.2500", "0.8750", "0.5000"] for row in expected]
    assert (head, rows) == (columns, expected)
    assert pages[-1][1].startswith("12/12 · epoch 3.00 of 3 · ")
    assert "<td" in pages[-1][0] and "width:100.0%" in pages[-1][0]
    assert any("evaluation 1/4" in html for html, _ in pages) == (strategy != "no")


def test_several_evaluation_sets_share_a_row(tmp_path: Path, pages: list[tuple[str, str]]) -> None:
    training = Pretended(arguments(tmp_path), [NotebookProgressCallback])
    training.handler.on_train_begin(training.args, training.state, training.control)
    training.evaluate({"eval_news_loss": 0.5, "eval_news_f1": 0.75})
    training.evaluate({"eval_chat_loss": 0.25})
    assert table_of(pages[-1][1]) == [
        ["Epoch", "Training Loss", "Validation Loss", "News Loss", "News F1", "Chat Loss"],
        ["0", "no log yet", "0.5000", "0.7500", "0.2500"],
    ]


def test_an_evaluation_alone_has_a_page_of_its_own_and_names_are_no_html(
    tmp_path: Path, pages: list[tuple[str, str]]
) -> None:
    alone = Pretended(arguments(tmp_path), [NotebookProgressCallback])
    alone.evaluate({**EVALUATION, "eval_<b>": 1.0})
    alone.evaluate({"eval_loss": 0.125})
    assert any("&lt;b&gt;" in html for html, _ in pages)
    assert "<b>" not in "".join(html for html, _ in pages)
    assert "0.1250" in pages[-1][0] and "0.8750" not in pages[-1][0]


@pytest.mark.slow
def test_a_real_notebook_shows_one_output_that_is_updated_in_place(tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests.training.callbacks.pretended_training import Pretended, arguments
from nabi.training.callbacks.progress import default_callbacks
args = arguments(Path({str(tmp_path)!r}), disable_tqdm=False)
_ = Pretended(args, default_callbacks(args)).run()
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs: list[Any] = notebook.cells[0].outputs
    assert [output.output_type for output in outputs] == ["display_data"]
    assert table_of(outputs[0].data["text/plain"])[-1] == ["3", "0.0833", "0.2500", "0.8750", "0.5000"]
    assert "12/12" in outputs[0].data["text/html"]
