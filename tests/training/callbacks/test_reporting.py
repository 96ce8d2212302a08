"""Reports to services: a real event file of TensorBoard; the calls that Weights & Biases and MLflow get."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from transformers.integrations import integration_utils as incumbent

from nabi.training.callbacks.reporting import report_callbacks
from nabi.training.callbacks.reporting.logs import rewrite_logs
from nabi.training.callbacks.state import TrainerControl, TrainerState

from .pretended_training import EVALUATION, Pretended, arguments

MODEL = SimpleNamespace(
    config=SimpleNamespace(to_dict=lambda: {"hidden_size": 16}, to_json_string=lambda: '{"hidden_size": 16}'),
    num_parameters=lambda: 123,
    save_pretrained=lambda folder: Path(folder, "model.safetensors").write_bytes(b"weights"),
)


def run(folder: Path, name: str, **changed: Any) -> Pretended:
    args = arguments(folder, report_to=[name], run_name="실험 1", **changed)
    training = Pretended(args, report_callbacks(args.report_to), model=MODEL)
    training.run()
    return training


def test_logs_are_grouped_as_the_incumbent_groups_them() -> None:
    logs = {**EVALUATION, "loss": 1.0, "test_f1": 0.5, "evaluation": 2.0, "train_loss": 1.0, "테스트": 1.0}
    assert rewrite_logs(logs) == incumbent.rewrite_logs(logs)


@pytest.mark.parametrize(
    ("name", "package"), [("tensorboard", "torch.utils.tensorboard"), ("wandb", "wandb"), ("mlflow", "mlflow")]
)
def test_a_missing_package_is_named_before_training(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f'report_to="{name}" needs its package: pip install {name}'):
        report_callbacks([name])


# ---------------------------------------------------------------- TensorBoard, really


def test_tensorboard_gets_every_number_at_its_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    training = run(tmp_path, "tensorboard")
    training.log({"eval_late": np.float32(0.5), "eval_odd": [1]})  # an evaluation after the training
    assert "eval/odd is a list" in caplog.text
    [folder] = (tmp_path / "runs").iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    scalars = {
        tag: [(one.step, round(one.value, 4)) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
    assert scalars["train/loss"] == [(step, round(1 / step, 4)) for step in range(2, 13, 2)]
    assert scalars["eval/정확도"] == [(4, 0.875), (8, 0.875), (12, 0.875)]
    assert scalars["eval/late"] == [(12, 0.5)]
    assert "train/train_runtime" in scalars
    assert {"args/text_summary", "model_config/text_summary"} <= set(events.Tags()["tensors"])


@pytest.mark.parametrize("way", ["environment", "argument", "trial"])
def test_tensorboard_writes_where_it_is_told(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    if way == "environment":
        monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "here"))
    args = arguments(tmp_path, **({} if way == "environment" else {"logging_dir": str(tmp_path / "here")}))
    training = Pretended(args, report_callbacks(["tensorboard"]))
    training.state.is_hyper_param_search, training.state.trial_name = way == "trial", "trial-7"
    training.run()
    folder = tmp_path / "here" / "trial-7" if way == "trial" else tmp_path / "here"
    assert [file for file in folder.iterdir() if "tfevents" in file.name]


# ---------------------------------------------------------------- the others: stand-ins with their signatures


class Wandb(ModuleType):
    def __init__(self) -> None:
        super().__init__("wandb")
        self.calls: list[tuple[str, Any]] = []
        self.run: Any = None
        self.config = SimpleNamespace(update=self.update)

    def init(self, project: str | None = None, name: str | None = None, group: str | None = None) -> None:
        self.calls.append(("init", (project, name, group)))
        self.run = SimpleNamespace(id="abc", summary={}, log_artifact=self.log_artifact)

    def finish(self) -> None:
        self.calls.append(("finish", None))
        self.run = None

    def update(self, d: dict[str, Any], allow_val_change: bool | None = None) -> None:
        self.calls.append(("config", d))

    def define_metric(self, name: str, step_metric: str | None = None, step_sync: bool | None = None) -> None:
        self.calls.append(("define_metric", (name, step_metric)))

    def watch(self, models: Any, log: str = "gradients", log_freq: int = 1000) -> None:
        self.calls.append(("watch", log))

    def log(self, data: dict[str, Any]) -> None:
        self.calls.append(("log", data))

    def Artifact(self, name: str, type: str, metadata: dict[str, Any]) -> Any:
        files: list[str] = []

        def add_dir(folder: str) -> None:
            files.extend(sorted(one.name for one in Path(folder).iterdir()))

        return SimpleNamespace(name=name, files=files, add_dir=add_dir)

    def log_artifact(self, artifact: Any, aliases: list[str]) -> None:
        self.calls.append(("artifact", (artifact.name, artifact.files, aliases)))

    def of(self, name: str) -> list[Any]:
        return [what for kind, what in self.calls if kind == name]


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Wandb:
    for name in ("WANDB_PROJECT", "WANDB_LOG_MODEL", "WANDB_WATCH"):
        monkeypatch.delenv(name, raising=False)
    stand_in = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    return stand_in


def test_wandb_gets_a_run_its_settings_and_its_logs(
    wandb: Wandb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "영화평")
    monkeypatch.setenv("WANDB_WATCH", "all")
    run(tmp_path, "wandb")
    assert wandb.of("init") == [("영화평", "실험 1", None)]
    [settings] = wandb.of("config")
    assert settings["hidden_size"] == 16 and settings["learning_rate"] == 5e-5
    assert settings["model/num_parameters"] == 123
    assert ("*", "train/global_step") in wandb.of("define_metric") and wandb.of("watch") == ["all"]
    logs = wandb.of("log")
    assert logs[0] == {
        **{"train/loss": 0.5, "train/grad_norm": 1.5, "train/learning_rate": 5e-5, "train/epoch": 0.5},
        "train/global_step": 2,
    }
    assert [log["train/global_step"] for log in logs if "eval/정확도" in log] == [4, 8, 12]
    assert wandb.run.summary["train_runtime"] == 75.0 and not any("train/train_runtime" in log for log in logs)
    assert not wandb.of("finish") and not wandb.of("artifact")


def test_wandb_uses_an_open_run_and_gives_each_trial_its_own(wandb: Wandb, tmp_path: Path) -> None:
    wandb.init("mine")
    training = run(tmp_path, "wandb")
    assert wandb.of("init") == [("mine", None, None)]
    for number in (1, 2):
        training.state.is_hyper_param_search, training.state.trial_name = True, f"trial {number}"
        training.handler.on_train_begin(training.args, training.state, TrainerControl())
    assert wandb.of("init")[1:] == [("huggingface", f"trial {number}", "실험 1") for number in (1, 2)]
    assert len(wandb.of("finish")) == 2


def test_wandb_uploads_models_if_it_is_told(wandb: Wandb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_LOG_MODEL", "checkpoint")
    training = run(tmp_path, "wandb")
    assert wandb.of("artifact") == [("model-abc", ["model.safetensors"], ["final_model"])]
    (tmp_path / "checkpoint-12").mkdir()
    (tmp_path / "checkpoint-12" / "weights").touch()
    training.handler.on_save(training.args, training.state, TrainerControl())
    assert wandb.of("artifact")[1:] == [("model-abc", ["weights"], ["epoch_3.0", "checkpoint_global_step_12"])]
    training.handler.on_predict(training.args, training.state, TrainerControl(), {"test_f1": 0.5})
    assert wandb.of("log")[-1] == {"test/f1": 0.5}
    monkeypatch.setenv("WANDB_LOG_MODEL", "yes")
    with pytest.raises(ValueError, match="WANDB_LOG_MODEL is 'yes'"):
        report_callbacks(["wandb"])


class Mlflow(ModuleType):
    def __init__(self) -> None:
        super().__init__("mlflow")
        self.calls: list[tuple[str, Any]] = []
        self.active: Any = None

    def active_run(self) -> Any:
        return self.active

    def start_run(self, run_id: str | None = None, run_name: str | None = None, nested: bool = False) -> Any:
        self.calls.append(("start_run", (run_id, run_name, nested)))
        self.active = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
        return self.active

    def end_run(self, status: str = "FINISHED") -> None:
        self.calls.append(("end_run", status))
        self.active = None

    def set_experiment(self, experiment_name: str) -> None:
        self.calls.append(("set_experiment", experiment_name))

    def log_params(self, params: dict[str, Any]) -> None:
        assert len(params) <= 100 and all(len(str(value)) <= 500 for value in params.values())
        self.calls.append(("log_params", params))

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        assert self.active is not None
        self.calls.append(("log_metrics", (metrics, step)))

    def set_tags(self, tags: dict[str, Any]) -> None:
        self.calls.append(("set_tags", tags))

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        self.calls.append(("log_artifacts", (local_dir, artifact_path)))

    def of(self, name: str) -> list[Any]:
        return [what for kind, what in self.calls if kind == name]


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Mlflow:
    for name in ("EXPERIMENT_NAME", "NESTED_RUN", "TAGS", "FLATTEN_PARAMS", "MAX_LOG_PARAMS", "RUN_ID"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)
    monkeypatch.delenv("HF_MLFLOW_LOG_ARTIFACTS", raising=False)
    stand_in = Mlflow()
    limits = {"MAX_PARAM_VAL_LENGTH": 500, "MAX_PARAMS_TAGS_PER_BATCH": 100}
    validation = ModuleType("mlflow.utils.validation")
    vars(validation).update(limits)
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    monkeypatch.setitem(sys.modules, "mlflow.utils", ModuleType("mlflow.utils"))
    monkeypatch.setitem(sys.modules, "mlflow.utils.validation", validation)
    return stand_in


def test_mlflow_gets_a_run_its_parameters_and_its_metrics(
    mlflow: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "영화평")
    monkeypatch.setenv("MLFLOW_TAGS", '{"release": "1"}')
    training = run(tmp_path, "mlflow", optim_args="x" * 600)
    assert (mlflow.of("set_experiment"), mlflow.of("start_run")) == (["영화평"], [(None, "실험 1", False)])
    parameters = {name: value for part in mlflow.of("log_params") for name, value in part.items()}
    assert parameters["hidden_size"] == 16 and parameters["seed"] == 42 and "optim_args" not in parameters
    assert "no optim_args" in caplog.text
    assert mlflow.of("log_metrics")[0] == (
        {"loss": 0.5, "grad_norm": 1.5, "learning_rate": 5e-5, "epoch": 0.5},
        2,
    )
    assert [step for metrics, step in mlflow.of("log_metrics") if "eval_정확도" in metrics] == [4, 8, 12]
    assert mlflow.of("set_tags") == [{"release": "1"}] and mlflow.of("end_run") == ["FINISHED"]

    training.log({"eval_f1 (macro)": np.float32(0.5)})  # an evaluation after the training goes into its run
    assert mlflow.of("start_run")[1:] == [("r1", None, False)] and len(mlflow.of("end_run")) == 2
    assert mlflow.of("log_metrics")[-1] == ({"eval_f1 _macro_": 0.5, "epoch": 3.0}, 12)


def test_mlflow_uses_an_active_run_and_leaves_it_open(
    mlflow: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_MAX_LOG_PARAMS", "3")
    monkeypatch.setenv("MLFLOW_FLATTEN_PARAMS", "1")
    monkeypatch.setenv("HF_MLFLOW_LOG_ARTIFACTS", "true")
    mlflow.start_run(run_name="mine")
    training = run(tmp_path, "mlflow", lr_scheduler_kwargs={"num_cycles": 2})
    assert len(mlflow.of("start_run")) == 1 and not mlflow.of("end_run")
    assert [len(part) for part in mlflow.of("log_params")] == [3]
    training.handler.on_save(training.args, training.state, TrainerControl())
    assert mlflow.of("log_artifacts") == [(str(tmp_path / "checkpoint-12"), "checkpoint-12")]


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_processes_that_do_not_speak_send_nothing(name: str, wandb: Wandb, mlflow: Mlflow, tmp_path: Path) -> None:
    training = Pretended(arguments(tmp_path), report_callbacks([name]), model=MODEL)
    training.state = TrainerState(**{**vars(training.state), "is_world_process_zero": False})
    training.run()
    assert not wandb.calls and not mlflow.calls and not (tmp_path / "runs").exists()
