"""report_to="tensorboard"."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..callback import TrainerCallback
from ..state import TrainerControl, TrainerState
from .logs import plain_number, rewrite_logs

if TYPE_CHECKING:
    from ...arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)


class TensorBoardCallback(TrainerCallback):
    """Writes scalars for TensorBoard; look at them with `tensorboard --logdir <output_dir>/runs`.

    tb_writer: a SummaryWriter of your own. Else the files go to args.logging_dir, which is by default the folder in the
    environment's TENSORBOARD_LOGGING_DIR, or output_dir/runs/<date>_<machine>; a trial has a folder of its own there.
    """

    def __init__(self, tb_writer: Any = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError('report_to="tensorboard" needs its package: pip install tensorboard') from error
        self.new_writer = SummaryWriter
        self.tb_writer = tb_writer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        writer = self.writer(args, state)
        writer.add_text("args", json.dumps(args.to_dict(), indent=2, default=str, ensure_ascii=False))
        config = getattr(kwargs.get("model"), "config", None)
        if config is not None and hasattr(config, "to_json_string"):
            writer.add_text("model_config", config.to_json_string())

    def writer(self, args: TrainingArguments, state: TrainerState) -> Any:
        if self.tb_writer is None:
            trial = state.trial_name if state.is_hyper_param_search else None
            self.tb_writer = self.new_writer(log_dir=str(Path(args.logging_dir or "runs") / (trial or "")))
        return self.tb_writer

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not state.is_world_process_zero:
            return
        writer = self.writer(args, state)
        for name, value in rewrite_logs(logs or {}).items():
            value = plain_number(value)
            if isinstance(value, (int, float)):
                writer.add_scalar(name, value, state.global_step)
            elif isinstance(value, str):
                writer.add_text(name, value, state.global_step)
            else:
                logger.warning("TensorBoard takes numbers and texts; %s is a %s", name, type(value).__name__)
        writer.flush()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.tb_writer is not None:
            self.tb_writer.close()
            self.tb_writer = None
