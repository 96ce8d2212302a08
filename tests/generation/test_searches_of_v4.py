"""Group, constrained and contrastive search write what the incumbent wrote while it had them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import nabi

from .record_expectations import EXPECTATIONS, MODELS, SETTINGS, load, written

EXPECTED: dict[str, Any] = json.loads(EXPECTATIONS.read_text(encoding="utf-8"))
CASES = [(name, kind) for name in MODELS for kind in SETTINGS]
SLACK = 1e-4


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@cache
def model_of(name: str, folders: Path) -> Any:
    torch.set_num_threads(1)
    return load(nabi, name, str(folders / name))


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}: {kind}" for name, kind in CASES])
def test_the_recorded_texts_are_written(name: str, kind: str, folders: Path) -> None:
    expected = EXPECTED[name][kind]
    out = written(model_of(name, folders), name, SETTINGS[kind])
    assert out.sequences.tolist() == expected["sequences"]
    if "sequences_scores" in expected:
        assert out.sequences_scores.tolist() == pytest.approx(expected["sequences_scores"], rel=0, abs=SLACK)
    if "best" in expected and "num_beams" in SETTINGS[kind]:
        for step, best in zip(out.scores, expected["best"], strict=False):
            assert step.max(1).values.tolist() == pytest.approx(best, rel=1e-6, abs=SLACK)
    elif "best" in expected:
        start = out.sequences.shape[1] - len(out.scores)
        for step, tokens, best in zip(out.scores, out.sequences[:, start:].T, expected["best"], strict=True):
            assert step.gather(1, tokens[:, None]).flatten().tolist() == pytest.approx(best, rel=0, abs=SLACK)
