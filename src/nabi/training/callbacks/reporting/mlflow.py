"""report_to="mlflow"."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..callback import TrainerCallback
from ..state import TrainerControl, TrainerState
from .logs import plain_number, settings_of

if TYPE_CHECKING:
    from ...arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)

TRUE = frozenset({"1", "ON", "YES", "TRUE"})


class MLflowCallback(TrainerCallback):
    """Sends logs to MLflow, into the run that is active, or into a new one that ends with the training.

    Environment: MLFLOW_TRACKING_URI and MLFLOW_RUN_ID, which MLflow reads itself; MLFLOW_EXPERIMENT_NAME;
    MLFLOW_NESTED_RUN=1 opens a run inside the active one; MLFLOW_TAGS, a JSON object; MLFLOW_FLATTEN_PARAMS=1 notes a
    setting that is a dict as one parameter per key; MLFLOW_MAX_LOG_PARAMS, at most so many parameters;
    HF_MLFLOW_LOG_ARTIFACTS=1 uploads each checkpoint.
    """

    def __init__(self) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise ImportError('report_to="mlflow" needs its package: pip install mlflow') from error
        self.mlflow = mlflow
        self.is_set_up = False
        self.own_run: str | None = None  # the id of the run that this callback opened

    def setup(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Open a run if need be, and note the settings in it."""
        self.is_set_up = True
        if not state.is_world_process_zero:
            return
        environment = os.environ
        nested = environment.get("MLFLOW_NESTED_RUN", "").upper() in TRUE
        if self.mlflow.active_run() is None or nested or environment.get("MLFLOW_RUN_ID"):
            if environment.get("MLFLOW_EXPERIMENT_NAME"):
                self.mlflow.set_experiment(environment["MLFLOW_EXPERIMENT_NAME"])
            self.own_run = self.mlflow.start_run(run_name=args.run_name, nested=nested).info.run_id
        settings = settings_of(args, model)
        if environment.get("MLFLOW_FLATTEN_PARAMS", "").upper() in TRUE:
            settings = flattened(settings)
        from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

        short = [item for item in settings.items() if len(str(item[1])) <= MAX_PARAM_VAL_LENGTH]
        if len(short) < len(settings):
            left_out = ", ".join(name for name in settings if name not in dict(short))
            logger.warning("MLflow takes values up to %d letters, so it gets no %s", MAX_PARAM_VAL_LENGTH, left_out)
        short = short[: int(environment.get("MLFLOW_MAX_LOG_PARAMS") or len(short))]
        for start in range(0, len(short), MAX_PARAMS_TAGS_PER_BATCH):
            self.mlflow.log_params(dict(short[start : start + MAX_PARAMS_TAGS_PER_BATCH]))
        if environment.get("MLFLOW_TAGS"):
            self.mlflow.set_tags(json.loads(environment["MLFLOW_TAGS"]))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        if not self.is_set_up:
            self.setup(args, state, model)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not self.is_set_up:
            self.setup(args, state, model)
        if not state.is_world_process_zero:
            return
        metrics = {}
        for name, value in (logs or {}).items():
            value = plain_number(value)
            if isinstance(value, (int, float)):
                metrics[re.sub(r"[^\w\-. :/]", "_", name)] = value
            else:
                logger.warning("MLflow takes numbers as metrics; %s is a %s", name, type(value).__name__)
        # An evaluation after the training belongs to its run, which has ended: without this, MLflow opens another.
        reopened = self.own_run is not None and self.mlflow.active_run() is None
        if reopened:
            self.mlflow.start_run(run_id=self.own_run)
        self.mlflow.log_metrics(metrics, step=state.global_step)
        if reopened:
            self.mlflow.end_run()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.is_world_process_zero and os.environ.get("HF_MLFLOW_LOG_ARTIFACTS", "").upper() in TRUE:
            name = f"checkpoint-{state.global_step}"
            self.mlflow.log_artifacts(str(Path(str(args.output_dir)) / name), artifact_path=name)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.own_run is not None and self.mlflow.active_run() is not None:
            self.mlflow.end_run()


def flattened(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} -> {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
