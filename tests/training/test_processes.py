"""Two processes compute what one does: the same updates, the same evaluation, checkpoints that either goes on from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nabi import AutoModelForSequenceClassification

from . import processes_script as script

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two processes")]  # started once for all
SCRIPT = Path(script.__file__)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes train; FSDP finds the checkpoint of a run in one process there."""
    place = tmp_path_factory.mktemp("processes")
    script.halfway(place / "fsdp" / "one_process")
    return place


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """All that two processes computed, in one start by torchrun."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*launcher, str(SCRIPT), "both", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads((folder / "both.json").read_text(encoding="utf-8"))
    return result


@pytest.fixture(scope="module")
def ddp(found: dict[str, Any]) -> Any:
    return found["ddp"]


@pytest.fixture(scope="module")
def fsdp(found: dict[str, Any]) -> Any:
    return found["fsdp"]


def assert_same(found: dict[str, Any], expected: dict[str, Any], within: float) -> None:
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=0, atol=within)
    assert found["weights"].keys() == expected["weights"].keys()
    for name, weight in expected["weights"].items():
        np.testing.assert_allclose(found["weights"][name], weight, rtol=0, atol=within, err_msg=name)


def test_two_processes_learn_as_one_with_twice_the_batch_however_their_labels_are_spread(
    ddp: dict[str, Any], fsdp: dict[str, Any], tmp_path: Path
) -> None:
    alone = script.tokens(tmp_path)
    assert len(alone["losses"]) == script.STEPS
    assert_same(ddp["tokens"], alone, 1e-5)
    assert_same(fsdp["tokens"], alone, 1e-5)


def test_an_evaluation_in_two_processes_sees_each_example_once_and_in_order(
    ddp: dict[str, Any], tmp_path: Path
) -> None:
    alone, two = script.evaluation(tmp_path), ddp["evaluation"]
    assert two["labels"] == alone["labels"] == [row["label"] for row in script.texts(21)]
    np.testing.assert_allclose(two["predictions"], alone["predictions"], atol=1e-6)
    np.testing.assert_allclose(two["stream"], alone["predictions"], atol=1e-6)
    assert two["metrics"] == pytest.approx(alone["metrics"], abs=1e-6)


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_a_resumed_run_of_two_processes_ends_exactly_as_an_uninterrupted_one(
    kind: str, request: pytest.FixtureRequest
) -> None:
    runs = request.getfixturevalue(kind)["resumed"]
    assert len(runs["whole"]["losses"]) == 3
    assert runs["again"] == runs["whole"]


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_all_processes_go_back_to_the_best_checkpoint(kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)["best"]
    best = min(run["losses"])
    assert run["losses"][-1] > best
    assert run["best"] == f"checkpoint-{2 * run['losses'].index(best) + 2}"
    assert run["now"] == pytest.approx(best, abs=1e-6)


def test_a_sharded_model_with_tied_weights_learns_as_a_whole_one(fsdp: dict[str, Any], tmp_path: Path) -> None:
    alone = script.language(tmp_path)
    assert_same(fsdp["language"], alone, 1e-5)
    assert_same(fsdp["lean"], alone, 1e-5)
    np.testing.assert_allclose(fsdp["half"]["losses"], alone["losses"], atol=2e-2)
    assert fsdp["half"]["losses"] != fsdp["language"]["losses"]


def test_a_sharded_checkpoint_is_one_model_that_anyone_reads(fsdp: dict[str, Any], folder: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(folder / "fsdp" / "resumed" / "checkpoint-10")
    weights = {name: weight.tolist() for name, weight in model.state_dict().items()}
    assert weights == fsdp["resumed"]["whole"]["weights"]


def test_one_process_and_two_that_shard_take_over_from_each_other(
    fsdp: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    alone = script.halfway(tmp_path)
    for run in (fsdp["taken over"], script.halfway(folder / "fsdp" / "resumed")):
        np.testing.assert_allclose(run["losses"], alone["losses"], rtol=0, atol=1e-4)
