"""The notebooks of examples/ run from top to bottom with no network, and what they train has learned."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

EXAMPLES = Path(__file__).parent.parent / "examples"
# Notebook -> what its `result` must reach at least. A guess among four topics is right in 0.25.
LEARNED: dict[str, dict[str, float]] = {
    "fine_tune_korean_reviews": {"accuracy": 0.7},
    "plain_pytorch_loop": {"accuracy": 0.65, "accuracy_accelerate": 0.65},
    "own_head": {"topic_accuracy": 0.65, "feeling_accuracy": 0.65},
    "named_entities": {"f1": 0.8},
    "question_answering": {"exact_match": 70, "f1": 75},
    "summarization": {"rougeL": 0.75},
    "distillation": {"agreement": 0.75, "gain": 0.1},
    "pretraining": {"accuracy": 0.75, "rules": 0.75, "t5_loss_fall": 0.4, "electra_loss_fall": 0.3},
    "lora": {"accuracy": 0.65, "merged_accuracy": 0.65},
}


def test_every_notebook_is_tested_and_listed() -> None:
    notebooks = sorted(file.stem for file in EXAMPLES.glob("*.ipynb"))
    assert notebooks == sorted(LEARNED)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in notebooks if f"({name}.ipynb)" not in listed] == []


@pytest.mark.parametrize("name", LEARNED)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    for cell in nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.source


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNED)
def test_a_notebook_runs_and_its_model_learns(name: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "data", tmp_path / "data")
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    notebook.cells.append(new_code_cell("import json; print(json.dumps(result))"))
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    # Models as small as these are slower on two threads; and no notebook may reach for the network.
    client.execute(env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"})
    result = json.loads(notebook.cells[-1].outputs[-1].text)
    for figure, least in LEARNED[name].items():
        assert result[figure] >= least, f"{figure} is {result[figure]:.3f}; {least} is the least: {result}"
