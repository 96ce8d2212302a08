"""The models of all client programs, and both sides of what a program found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ..scripts.make_cache import make_cache

RUNNER = Path(__file__).parent / "run_programs.py"
# Program -> the packages that it imports beside transformers.
PROGRAMS = {
    "accelerate_loop": ["accelerate"],
    "bertviz_views": ["bertviz", "IPython"],
    "datasets_map": ["datasets"],
    "evaluate_metric": ["evaluate"],
    "keybert_words": ["keybert"],
    "lm_eval_task": ["lm_eval"],
    "peft_decoder": ["peft"],
    "peft_encoder": ["peft", "accelerate"],
    "sentence_vectors": ["sentence_transformers", "datasets"],
    "setfit_few": ["setfit"],
}
Both = Callable[[str], tuple[dict[str, Any], dict[str, Any]]]


def lacking(program: str) -> list[str]:
    return [package for package in PROGRAMS[program] if find_spec(package) is None]


def run(command: list[str], programs: list[str], folder: Path, home: Path) -> None:
    """Run the programs in one process; what each found lies in its folder after that."""
    offline = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "datasets")}
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, *command, str(RUNNER), *programs],
        env={**os.environ, **offline, **quiet},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def found_in(folder: Path) -> dict[str, Any]:
    error = folder / "error.txt"
    assert not error.exists(), error.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="session")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the programs of the tests that were chosen have run: on nabi, and on the incumbent."""
    chosen = {name for item in request.session.items for name in getattr(item.module, "PROGRAMS", ())}  # type: ignore[attr-defined]
    programs = sorted(name for name in chosen if not lacking(name))
    home = make_cache(tmp_path_factory.mktemp("hub"))
    places = {}
    for name, command in (("nabi", ["-m", "nabi.drop_in"]), ("incumbent", [])):
        places[name] = tmp_path_factory.mktemp(name)
        run(command, programs, places[name], home)
    return places


@pytest.fixture
def both(request: pytest.FixtureRequest) -> Both:
    """What a program found on nabi and on the incumbent. On nabi it has seen no other transformers."""

    def found(program: str) -> tuple[dict[str, Any], dict[str, Any]]:
        if missing := lacking(program):
            pytest.skip(f"pip install {' '.join(missing)}")
        places = request.getfixturevalue("ran")
        ours, theirs = found_in(places["nabi"] / program), found_in(places["incumbent"] / program)
        files = ours.pop("files of transformers")
        assert len(files) == 1 and Path(files[0]).parts[-2:] == ("nabi", "__init__.py"), files
        assert "site-packages" in theirs.pop("files of transformers")[0]
        return ours, theirs

    return found
