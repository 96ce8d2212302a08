"""What a training leaves behind: its log, its metrics, the model's files, the card, the upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import best, checkpoints, deepspeed, saving
from ..acceleration import is_sharded, shards
from ..arguments.training_arguments import TrainingArguments
from ..callbacks.handler import CallbackHandler
from ..callbacks.state import TrainerControl, TrainerState
from ..losses import takes
from ..reports import curves, metric_files, publishing


class SavingHooks:
    """log, save_… and push_to_hub; what is written into a checkpoint's folder, and read from it."""

    args: TrainingArguments
    model: Any
    accelerator: Any
    train_dataset: Any
    eval_dataset: Any
    processing_class: Any
    data_collator: Callable[[list[Any]], Any]
    state: TrainerState
    control: TrainerControl
    callback_handler: CallbackHandler
    output_dir: str
    push_in_progress: Any
    is_world_process_zero: Callable[[], bool]

    # --- logs ------------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the epoch, keep the entry in state.log_history, and tell the callbacks."""
        logs["epoch"] = self.state.epoch
        if self.args.include_num_input_tokens_seen != "no":
            logs["num_input_tokens_seen"] = self.state.num_input_tokens_seen
        self.state.log_history.append({**logs, "step": self.state.global_step})
        self.control = self.callback_handler.on_log(self.args, self.state, self.control, logs)

    def log_with_time(self, logs: dict[str, float], start_time: float | None) -> None:
        """log(), which in scripts of v4 takes the logs alone."""
        if takes(self.log, "start_time"):
            self.log(logs, start_time)
        else:
            self.log(logs)

    def log_metrics(self, split: str, metrics: dict[str, float]) -> None:
        """Print metrics as a small table."""
        metric_files.log_metrics(self, split, metrics)

    def save_metrics(self, split: str, metrics: dict[str, float], combined: bool = True) -> None:
        """Write metrics to <split>_results.json in the output folder, and add them to all_results.json."""
        metric_files.save_metrics(self, split, metrics, combined)

    def save_state(self) -> None:
        """Write trainer_state.json into the output folder."""
        if self.is_world_process_zero():
            Path(self.output_dir).mkdir(parents=True, exist_ok=True)
            self.state.save_to_json(str(Path(self.output_dir) / checkpoints.STATE))

    def plot(self, path: str | Path | None = None) -> Any:
        """The curves of this training as a matplotlib figure, written to `path` if given (the extra `train`)."""
        figure = curves.plot(self.state.log_history)
        if path is not None:
            figure.savefig(path)
        return figure

    # --- the model's files -----------------------------------------------------------------------------------

    @property
    def is_fsdp_enabled(self) -> bool:
        return shards(self.accelerator)

    @property
    def is_deepspeed_enabled(self) -> bool:
        return deepspeed.runs(self.accelerator)

    @property
    def shards_weights(self) -> bool:
        """Whether each process holds a part of the weights only."""
        return is_sharded(self.model)

    def whole_state_dict(self) -> dict[str, Tensor] | None:
        """The weights put together where processes hold parts of them (every process calls this); else None."""
        if deepspeed.is_partitioned(self.model):
            return deepspeed.model_state(self.model)
        return saving.model_state(self) if self.shards_weights else None

    def save_model(
        self, output_dir: str | Path | None = None, _internal_call: bool = False, *, merge_adapter: bool = False
    ) -> None:
        """Write model, processing class and arguments into a folder (default: the output folder).

        merge_adapter: of a model with adapters of peft, write the whole model with the adapters worked in.
        """
        folder = Path(self.output_dir if output_dir is None else output_dir)
        weights = self.whole_state_dict()
        if self.args.should_save:
            folder.mkdir(parents=True, exist_ok=True)
            self.write_model(folder, weights, merge_adapter=merge_adapter)
        self.accelerator.wait_for_everyone()
        if self.args.push_to_hub and not _internal_call:
            self.push_to_hub(commit_message="Model save")

    def write_model(self, folder: Path, weights: dict[str, Tensor] | None, *, merge_adapter: bool = False) -> None:
        """The files of the model as it is now, for save_model and for every checkpoint."""
        if merge_adapter:
            saving.write_files(self, saving.merged(self.model), folder, weights)
        else:
            self._save(str(folder), weights)

    # Of a checkpoint's folder, under HF's names: subclasses have files of their own.

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        saving.write_files(self, self.model, Path(output_dir or self.output_dir), state_dict)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        model = self.model if model is None else model
        with deepspeed.whole_weights(model, write=True):
            checkpoints.restore_weights(model, Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        best.load(self)

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        """Upload after a checkpoint was saved, as args.hub_strategy says."""
        publishing.push_checkpoint(self, Path(checkpoint_folder))

    def create_model_card(self, **facts: Any) -> None:
        """Write README.md into the output folder: what was trained, on what, how, with which results."""
        if self.is_world_process_zero():
            publishing.create_model_card(self, **facts)

    def push_to_hub(self, commit_message: str = "End of training", blocking: bool = True, **options: Any) -> str | None:
        """Save model and card to the output folder, and upload it to args.hub_model_id. Returns the commit's URL."""
        return publishing.push_to_hub(self, commit_message, blocking, **options)
