"""report_to="wandb": Weights & Biases."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..callback import TrainerCallback
from ..state import TrainerControl, TrainerState
from .logs import rewrite_logs, settings_of

if TYPE_CHECKING:
    from ...arguments.training_arguments import TrainingArguments

# Values of the whole training, not of a step: Weights & Biases keeps them in a run's summary.
OF_THE_WHOLE = frozenset(
    {"train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss", "total_flos"}
)


class WandbCallback(TrainerCallback):
    """Sends logs to Weights & Biases, into the run that is open, or into a new one.

    Environment: WANDB_PROJECT (default "huggingface"); WANDB_LOG_MODEL "end" uploads the final model, "checkpoint"
    every checkpoint (default "false"); WANDB_WATCH "gradients", "parameters" or "all" (default "false").
    """

    def __init__(self) -> None:
        try:
            import wandb
        except ImportError as error:
            raise ImportError('report_to="wandb" needs its package: pip install wandb') from error
        self.wandb = wandb
        self.is_set_up = False
        self.upload = os.environ.get("WANDB_LOG_MODEL", "false").lower()
        if self.upload not in ("end", "checkpoint", "false"):
            raise ValueError(f'WANDB_LOG_MODEL is {self.upload!r}: it can be "end", "checkpoint" or "false"')

    def setup(self, args: TrainingArguments, state: TrainerState, model: Any, **kwargs: Any) -> None:
        """Open a run if none is, and note the settings in it. Override it for settings of your own."""
        self.is_set_up = True
        if not state.is_world_process_zero:
            return
        if self.wandb.run is None:
            names: dict[str, Any] = {"name": args.run_name}
            if state.trial_name is not None:
                names = {"name": state.trial_name, "group": args.run_name or args.output_dir}
            self.wandb.init(project=os.environ.get("WANDB_PROJECT", "huggingface"), **names)
        settings = settings_of(args, model)
        if hasattr(model, "num_parameters"):
            settings["model/num_parameters"] = model.num_parameters()
        self.wandb.config.update(settings, allow_val_change=True)
        self.wandb.define_metric("train/global_step")
        self.wandb.define_metric("*", step_metric="train/global_step", step_sync=True)
        watched = os.environ.get("WANDB_WATCH", "false").lower()
        if watched in ("gradients", "parameters", "all"):
            self.wandb.watch(model, log=watched, log_freq=max(100, state.logging_steps))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        if state.is_hyper_param_search and self.is_set_up:
            self.wandb.finish()  # each trial is a run of its own
            self.is_set_up = False
        if not self.is_set_up:
            self.setup(args, state, model, **kwargs)

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
            self.setup(args, state, model, **kwargs)
        if not state.is_world_process_zero:
            return
        logs = logs or {}
        for name in OF_THE_WHOLE & logs.keys():
            self.wandb.run.summary[name] = logs[name]
        by_step = {name: value for name, value in logs.items() if name not in OF_THE_WHOLE}
        self.wandb.log({**rewrite_logs(by_step), "train/global_step": state.global_step})

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        metrics: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not self.is_set_up:
            self.setup(args, state, model, **kwargs)
        if state.is_world_process_zero:
            self.wandb.log(rewrite_logs(metrics or {}))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.upload == "checkpoint" and state.is_world_process_zero:
            folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            aliases = [f"epoch_{round(state.epoch, 2)}", f"checkpoint_global_step_{state.global_step}"]
            self.upload_folder(folder, aliases, {"step": state.global_step})

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        processing_class: Any = None,
        **kwargs: Any,
    ) -> None:
        if self.upload == "false" or not state.is_world_process_zero:
            return
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            if processing_class is not None:
                processing_class.save_pretrained(folder)
            self.upload_folder(Path(folder), ["final_model"], {"final_model": True, "best_metric": state.best_metric})

    def upload_folder(self, folder: Path, aliases: list[str], metadata: dict[str, Any]) -> None:
        artifact = self.wandb.Artifact(name=f"model-{self.wandb.run.id}", type="model", metadata=metadata)
        artifact.add_dir(str(folder))
        self.wandb.run.log_artifact(artifact, aliases=aliases)
