"""DeepSpeed: its config filled in from the arguments; where it is installed, two processes that learn as one by it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nabi import AutoModelForSequenceClassification
from nabi.training.acceleration import make_accelerator
from nabi.training.deepspeed_config import filled

from . import processes_script as script
from . import tiny

OWN: dict[str, Any] = {
    "optimizer": {"type": "AdamW", "params": {"lr": "auto"}},
    "scheduler": {"type": "WarmupDecayLR", "params": dict.fromkeys(("warmup_num_steps", "total_num_steps"), "auto")},
}
SETTINGS: dict[str, Any] = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 3,
    "learning_rate": 0.002,
    "adam_beta2": 0.98,
    "weight_decay": 0.1,
    "warmup_steps": 5,
    "max_grad_norm": 0.7,
    "bf16": True,
}


def test_what_the_config_leaves_open_is_as_the_arguments_say(tmp_path: Path) -> None:
    zero = {"stage": 3, "reduce_bucket_size": "auto", "stage3_prefetch_bucket_size": "auto"}
    given = {"zero_optimization": zero, "train_batch_size": "auto", **OWN}
    config = filled(given, tiny.quiet(tmp_path, **SETTINGS), script.gpt2(), steps=50)
    assert config == {
        "zero_optimization": {"stage": 3, "reduce_bucket_size": 256, "stage3_prefetch_bucket_size": 230},
        "train_micro_batch_size_per_gpu": 4,
        "gradient_accumulation_steps": 3,
        "train_batch_size": 12,
        "gradient_clipping": 0.7,
        "fp16": {"enabled": False},
        "bf16": {"enabled": True},
        "optimizer": {
            "type": "AdamW",
            "params": {"lr": 0.002, "weight_decay": 0.1, "betas": [0.9, 0.98], "eps": 1e-8},
        },
        "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_num_steps": 5, "total_num_steps": 50}},
    }
    assert given["train_batch_size"] == "auto" and OWN["optimizer"]["params"] == {"lr": "auto"}  # the user's own


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"train_micro_batch_size_per_gpu": 2}, "is 2, but per_device_train_batch_size 4"),
        ({"fp16": {"enabled": True}}, "fp16.enabled is True, but fp16 False"),
        ({"optimizer": {"type": "SGD", "params": {"lr": 1.0}}}, "optimizer.params.lr is 1.0, but learning_rate 0.002"),
        ({"scheduler": {"params": {"total_num_steps": 9}}}, "total_num_steps is 9, but number of updates 50"),
        ({"zero_optimization": {"overlap_comm": "auto"}}, "overlap_comm: .auto., which no argument tells"),
    ],
    ids=str,
)
def test_what_the_config_says_otherwise_is_named(config: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        filled(config, tiny.quiet(tmp_path, **SETTINGS), script.gpt2(), steps=50)


def test_a_missing_deepspeed_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(ImportError, match="pip install deepspeed"):
        make_accelerator(tiny.quiet(tmp_path, deepspeed={"zero_optimization": {"stage": 2}}))


# --- in two processes, where deepspeed is installed -----------------------------------------------------------------


def in_two_processes(test: Any) -> Any:  # one start serves them all
    return pytest.mark.slow(pytest.mark.xdist_group("deepspeed")(test))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deepspeed")


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    if importlib.util.find_spec("deepspeed") is None:
        pytest.skip("needs: pip install deepspeed")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*launcher, str(Path(script.__file__)), "deepspeed", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads((folder / "deepspeed.json").read_text(encoding="utf-8"))
    return result


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=0, atol=1e-5)
    assert found["weights"].keys() == expected["weights"].keys()
    for name, weight in expected["weights"].items():
        np.testing.assert_allclose(found["weights"][name], weight, rtol=0, atol=5e-5, err_msg=name)


@in_two_processes
def test_every_stage_learns_as_one_process_with_twice_the_batch(found: dict[str, Any], tmp_path: Path) -> None:
    alone = {
        "tokens": script.tokens(tmp_path),
        "language": script.language(tmp_path),
        "adamw": script.language(tmp_path, **script.DECAYING),
    }
    alone["adamw of the config"] = alone["adamw"]
    for stage in "0123":
        for run, expected in alone.items():
            assert_same(found[stage][run], expected)
        np.testing.assert_allclose(found[stage]["half"], alone["language"]["losses"], atol=2e-2)
    assert_same(found["ddp"], alone["tokens"])


@in_two_processes
@pytest.mark.parametrize("stage", "0123")
def test_its_checkpoints_are_gone_on_from_and_are_one_model(stage: str, found: dict[str, Any], folder: Path) -> None:
    runs = found[stage]["resumed"]
    assert len(runs["whole"]["losses"]) == 3
    assert runs["again"] == runs["whole"]
    model = AutoModelForSequenceClassification.from_pretrained(folder / f"stage{stage}" / "resumed" / "checkpoint-10")
    assert {name: weight.tolist() for name, weight in model.state_dict().items()} == runs["whole"]["weights"]


@in_two_processes
@pytest.mark.parametrize("stage", "0123")
def test_all_processes_go_back_to_the_best_one(stage: str, found: dict[str, Any]) -> None:
    run = found[stage]["best"]
    assert run["losses"][-1] > min(run["losses"])
    assert run["now"] == pytest.approx(min(run["losses"]), abs=1e-6)


@in_two_processes
def test_a_schedule_of_its_config_steps_once_an_update(found: dict[str, Any]) -> None:
    expected = [0, 0, 0.025, 0.05, 0.075, 0.1, 0.1 * 5 / 6, 0.1 * 4 / 6, 0.1 * 3 / 6, 0.1 * 2 / 6]
    np.testing.assert_allclose(found["rates"], expected, atol=1e-9)
