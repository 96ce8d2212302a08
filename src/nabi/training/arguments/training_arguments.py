"""All that a training can be told: TrainingArguments, the names of transformers 5 and, by old_arguments.py, of 4.

Making them costs well under a millisecond and loads no torch; `device` and its like do when they are read.
"""

# ruff: noqa: RUF009 - arg() makes a dataclass field, as dataclasses.field does

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import platform
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import processes
from .accelerator_config import AcceleratorConfig, read_accelerator_config, read_sharding
from .checks import check_together, checked, dict_of, reporters, steps_of, words_of
from .choices import (
    DebugOption,
    ForMetrics,
    HubStrategy,
    IntervalStrategy,
    LogLevel,
    OptimizerNames,
    ParallelMode,
    SamplingStrategy,
    SaveStrategy,
    SchedulerType,
    StartMethod,
    TokenCount,
)
from .groups import SetByTheme
from .old_names import OLD_NAMES, TakesOldNames, write_old

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self

logger = logging.getLogger(__name__)

CHOICES: dict[str, type[Enum]] = {
    "eval_strategy": IntervalStrategy,
    "logging_strategy": IntervalStrategy,
    "save_strategy": SaveStrategy,
    "hub_strategy": HubStrategy,
    "lr_scheduler_type": SchedulerType,
    "optim": OptimizerNames,
    "train_sampling_strategy": SamplingStrategy,
    "include_num_input_tokens_seen": TokenCount,
    "log_level": LogLevel,
    "log_level_replica": LogLevel,
}


DICTS = ("lr_scheduler_kwargs", "deepspeed", "activation_checkpointing_kwargs")
STEPS = {"logging_strategy": "logging_steps", "eval_strategy": "eval_steps", "save_strategy": "save_steps"}
BY_METRIC = (SchedulerType.REDUCE_ON_PLATEAU, SchedulerType.GREEDY)


def hidden(name: str) -> str:
    """What stands for a token where others may read."""
    return f"<{name.upper()}>"


def arg(default: Any, help: str) -> Any:
    """A field with the line that `--help` prints for it."""
    return field(default=default, metadata={"help": help})


@dataclass(repr=False)
class TrainingArguments(SetByTheme, metaclass=TakesOldNames):
    """Every setting of a training, checked when made; `python script.py --help` prints a line for each.

    Counts of steps are optimizer steps. A number below 1 in eval_steps, logging_steps, save_steps or warmup_steps is a
    part of all steps. Numbers that come as text ("2e-5" in YAML) are read; what contradicts itself is a ValueError.

        args = TrainingArguments("out", eval_strategy="epoch", learning_rate=2e-5, num_train_epochs=2)
    """

    output_dir: str | None = arg(None, "where checkpoints and results go; trainer_output if left out")

    per_device_train_batch_size: int = arg(8, "examples per device in a training batch")
    num_train_epochs: float = arg(3.0, "how often the data are gone through")
    max_steps: int = arg(-1, "optimizer steps in all, whatever num_train_epochs says; -1: by epochs")
    learning_rate: float = arg(5e-5, "the highest learning rate")
    lr_scheduler_type: SchedulerType | str = arg("linear", "how the learning rate goes: linear, cosine, constant, …")
    lr_scheduler_kwargs: dict[str, Any] | str | None = arg(None, "more settings of that schedule, as a dict or JSON")
    warmup_steps: float = arg(0, "steps in which the learning rate rises from 0; below 1: a part of all steps")
    optim: OptimizerNames | str = arg("adamw_torch_fused", "the optimizer")
    optim_args: str | None = arg(None, "more settings of the optimizer: 'momentum=0.9, nesterov=true'")
    weight_decay: float = arg(0.0, "weight decay; biases and norms have none")
    adam_beta1: float = arg(0.9, "Adam's memory of the gradient")
    adam_beta2: float = arg(0.999, "Adam's memory of the squared gradient")
    adam_epsilon: float = arg(1e-8, "Adam's small number in the denominator")
    optim_target_modules: str | list[str] | None = arg(None, "the linear modules for GaLore and APOLLO, or all-linear")
    gradient_accumulation_steps: int = arg(1, "batches whose gradients make one optimizer step")
    average_tokens_across_devices: bool = arg(True, "the loss is a mean over the tokens of all devices")
    max_grad_norm: float = arg(1.0, "longer gradients are cut to this norm; 0: never")
    label_smoothing_factor: float = arg(0.0, "the part of the probability spread over all labels")

    bf16: bool = arg(False, "train in bfloat16 mixed precision")
    fp16: bool = arg(False, "train in float16 mixed precision")
    bf16_full_eval: bool = arg(False, "evaluate with the whole model in bfloat16")
    fp16_full_eval: bool = arg(False, "evaluate with the whole model in float16")
    tf32: bool | None = arg(None, "let Ampere and newer GPUs multiply in TF32; torch decides if left out")
    activation_checkpointing: bool = arg(False, "gradient_checkpointing: less memory, activations computed twice")
    activation_checkpointing_kwargs: dict[str, Any] | str | None = arg(None, "settings of torch's checkpoint function")
    torch_compile: bool = arg(False, "compile the model with torch.compile")
    torch_compile_backend: str | None = arg(None, "its backend; inductor if left out")
    torch_compile_mode: str | None = arg(None, "its mode")
    use_liger_kernel: bool = arg(False, "use Liger's kernels")
    liger_kernel_config: dict[str, bool] | None = arg(None, "which of them")
    use_cache: bool = arg(False, "let the model keep keys and values while it trains")
    neftune_noise_alpha: float | None = arg(None, "noise on the embeddings while training (NEFTune, arXiv:2310.05914)")
    torch_empty_cache_steps: int | None = arg(None, "steps after which the device's cache is emptied; slower")
    auto_find_batch_size: bool = arg(False, "try smaller batches when memory is out")

    logging_strategy: IntervalStrategy | str = arg("steps", "when to log: no, steps, epoch")
    logging_steps: float = arg(500, "steps between two logs; below 1: a part of all steps")
    logging_first_step: bool = arg(False, "log the first step too")
    log_on_each_node: bool = arg(True, "every machine logs, not the main one alone")
    logging_nan_inf_filter: bool = arg(True, "leave losses that are no finite number out of the logged mean")
    include_num_input_tokens_seen: str | bool = arg("no", "count tokens: all, non_padding, no")
    log_level: str = arg("passive", "log level of the main process: debug, info, warning, error, critical, passive")
    log_level_replica: str = arg("warning", "log level of the other processes")
    disable_tqdm: bool | None = arg(None, "no progress bar; if left out, when the log level is above warning")
    report_to: str | list[str] | None = arg("none", "services that get the logs: tensorboard, wandb, mlflow, all, none")
    run_name: str | None = arg(None, "the name of this run there")
    project: str = arg("huggingface", "the name of the project there")
    trackio_space_id: str | None = arg(None, "the Space of Trackio")
    trackio_bucket_id: str | None = arg(None, "the bucket of Trackio")
    trackio_static_space_id: str | Literal[False] | None = arg(None, "the static Space of Trackio")

    eval_strategy: IntervalStrategy | str = arg("no", "when to evaluate: no, steps, epoch")
    eval_steps: float | None = arg(None, "steps between two evaluations; logging_steps if left out")
    eval_delay: float = arg(0, "epochs or steps before the first evaluation")
    per_device_eval_batch_size: int = arg(8, "examples per device in an evaluation batch")
    prediction_loss_only: bool = arg(False, "evaluation gives the loss alone")
    eval_on_start: bool = arg(False, "evaluate once before the first step")
    eval_do_concat_batches: bool = arg(True, "join the predictions of all batches; else a list of them")
    eval_use_gather_object: bool = arg(False, "gather nested objects from all devices")
    eval_accumulation_steps: int | None = arg(None, "batches whose predictions stay on the device before they leave it")
    include_for_metrics: list[str] = field(
        default_factory=list, metadata={"help": "what compute_metrics gets besides: inputs, loss"}
    )
    batch_eval_metrics: bool = arg(False, "call compute_metrics after each batch: less memory")

    save_only_model: bool = arg(False, "a checkpoint is the model alone; training cannot be resumed from it")
    save_strategy: SaveStrategy | str = arg("steps", "when to save: no, steps, epoch, best")
    save_steps: float = arg(500, "steps between two checkpoints; below 1: a part of all steps")
    save_on_each_node: bool = arg(False, "every machine saves, not the main one alone")
    save_total_limit: int | None = arg(None, "checkpoints that are kept; older ones are deleted, the best never")
    enable_jit_checkpoint: bool = arg(False, "save when the system asks the process to end (SIGTERM)")
    push_to_hub: bool = arg(False, "push the model to the Hub when it is saved")
    hub_token: str | None = field(default=None, repr=False, metadata={"help": "the token to push with"})
    hub_private_repo: bool | None = arg(None, "make the repository private")
    hub_model_id: str | None = arg(None, "the repository; the name of output_dir if left out")
    hub_strategy: HubStrategy | str = arg("every_save", "what is pushed: end, every_save, checkpoint, all_checkpoints")
    hub_always_push: bool = arg(False, "push even while the last push is still going on")
    hub_revision: str | None = arg(None, "the branch to push to")
    load_best_model_at_end: bool = arg(False, "after training, load the best checkpoint")
    metric_for_best_model: str | None = arg(None, "the metric that says which is best; loss if left out")
    greater_is_better: bool | None = arg(None, "whether more of it is better; if left out, unless it is a loss")
    ignore_data_skip: bool = arg(False, "a resumed training begins with the first batch again")
    restore_callback_states_from_checkpoint: bool = arg(False, "a resumed training gets its callbacks' states back")

    full_determinism: bool = arg(False, "the same numbers every time, at a price in speed")
    seed: int = arg(42, "the seed")
    data_seed: int | None = arg(None, "the seed of the data's order; seed if left out")
    use_cpu: bool = arg(False, "train on the CPU even if there is a GPU")
    accelerator_config: AcceleratorConfig | dict[str, Any] | str | None = arg(
        None, "settings of accelerate: dict or JSON file"
    )
    parallelism_config: Any = arg(None, "accelerate's ParallelismConfig")
    dataloader_drop_last: bool = arg(False, "leave out the last batch if it is not full")
    dataloader_num_workers: int = arg(0, "processes that prepare batches; 0: this one")
    dataloader_pin_memory: bool = arg(True, "page-locked memory for batches on their way to a GPU")
    dataloader_persistent_workers: bool = arg(False, "keep these processes between epochs")
    dataloader_prefetch_factor: int | None = arg(None, "batches that each of them prepares ahead")
    dataloader_multiprocessing_context: str | None = arg(None, "how they start: fork, spawn, forkserver")
    dataloader_in_order: bool = arg(True, "batches come in the order in which they were asked for")
    remove_unused_columns: bool = arg(True, "leave out columns that the model's forward does not take")
    label_names: list[str] | None = arg(None, "the names of the labels among the model's inputs")
    train_sampling_strategy: str = arg("random", "random, sequential, group_by_length, batch_rebalance")
    length_column_name: str = arg("length", "the column with the lengths, for group_by_length")

    ddp_find_unused_parameters: bool | None = arg(None, "find_unused_parameters of DistributedDataParallel")
    ddp_bucket_cap_mb: int | None = arg(None, "its bucket_cap_mb")
    ddp_broadcast_buffers: bool | None = arg(None, "its broadcast_buffers")
    ddp_static_graph: bool | None = arg(None, "its static_graph")
    ddp_backend: str | None = arg(None, "how processes talk: nccl, gloo, mpi, xccl, …")
    ddp_timeout: int = arg(1800, "seconds after which a silent process is given up")
    fsdp: bool | str | list[str] | None = field(  # --fsdp alone is true
        default=None, metadata={"help": "shard the model over devices", "action": "store", "nargs": "?", "const": True}
    )
    fsdp_config: dict[str, Any] | str | None = arg(None, "settings of FSDP: dict or JSON file")
    deepspeed: dict[str, Any] | str | None = arg(None, "settings of DeepSpeed: dict or JSON file")
    debug: str | list[DebugOption] = arg("", "underflow_overflow, tpu_metrics_debug")
    skip_memory_metrics: bool = arg(True, "do not measure memory, which is slow")

    do_train: bool = arg(False, "for your script: whether to train")
    do_eval: bool = arg(False, "for your script: whether to evaluate")
    do_predict: bool = arg(False, "for your script: whether to predict")
    resume_from_checkpoint: str | None = arg(None, "for your script: the checkpoint to go on from")
    local_rank: int = arg(-1, "for old scripts and launchers; read local_process_index")

    # Three arguments that only v4 had, and whose work is still wanted.
    warmup_ratio: float = arg(0.0, "the part of all steps in which the learning rate rises; warmup_steps goes first")
    logging_dir: str | None = arg(None, "where TensorBoard's files go; output_dir/runs/<date>_<machine> if left out")
    overwrite_output_dir: bool = arg(False, "for your script: begin anew though output_dir has checkpoints")

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Reads and checks every value; to be called again after attributes have been set by hand."""
        self.read_values()
        check_together(self)

    def set_values(self, **values: Any) -> Self:
        for name, value in values.items():
            setattr(self, name, value)
        return self.read_values()

    def read_values(self) -> Self:
        """Each value in its own type and within its limits, and those filled in that follow from others."""
        self.include_num_input_tokens_seen = {"true": "all", "false": "no"}.get(
            str(self.include_num_input_tokens_seen).lower(), self.include_num_input_tokens_seen
        )
        for one in fields(self):
            setattr(self, one.name, checked(one, getattr(self, one.name)))
        for name, choice in CHOICES.items():
            setattr(self, name, choice(getattr(self, name)))
        for name in DICTS:
            setattr(self, name, dict_of(name, getattr(self, name)))
        self.include_for_metrics = [ForMetrics(word).value for word in words_of(self.include_for_metrics)]
        if self.dataloader_multiprocessing_context is not None:
            self.dataloader_multiprocessing_context = StartMethod(self.dataloader_multiprocessing_context).value
        self.debug = [DebugOption(word) for word in words_of(self.debug)]
        self.report_to = reporters(self.report_to)
        self.accelerator_config = read_accelerator_config(self.accelerator_config)
        self.fsdp, self.fsdp_config = read_sharding(self.fsdp, self.fsdp_config)
        self._fill_in()
        for strategy, steps in STEPS.items():
            if getattr(self, strategy) == "steps":
                setattr(self, steps, steps_of(steps, getattr(self, steps)))
        return self

    def _fill_in(self) -> None:
        """The values that follow from others."""
        self.output_dir = os.path.expanduser(self.output_dir or "trainer_output")
        if self.logging_dir is None:
            run = f"{datetime.now():%b%d_%H-%M-%S}_{platform.node()}"
            self.logging_dir = os.environ.get("TENSORBOARD_LOGGING_DIR") or os.path.join(self.output_dir, "runs", run)
        self.logging_dir = os.path.expanduser(self.logging_dir)
        if self.disable_tqdm is None:
            self.disable_tqdm = logger.getEffectiveLevel() > logging.WARNING
        self.do_eval = self.do_eval or self.eval_strategy != "no"
        if self.eval_strategy == "steps" and not self.eval_steps:
            self.eval_steps = self.logging_steps
        needs_metric = self.load_best_model_at_end or self.save_strategy == "best"
        if self.metric_for_best_model is None and (needs_metric or self.lr_scheduler_type in BY_METRIC):
            self.metric_for_best_model = "loss"
        if self.greater_is_better is None and self.metric_for_best_model is not None:
            self.greater_is_better = not self.metric_for_best_model.endswith("loss")
        if self.torch_compile_backend or self.torch_compile_mode:
            self.torch_compile = True
        if self.torch_compile and self.torch_compile_backend is None:
            self.torch_compile_backend = "inductor"
        if self.use_cpu:
            self.dataloader_pin_memory = False
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.local_rank))  # old scripts ask whether it is -1 or 0

    def __getattr__(self, name: str) -> Any:
        if name in OLD_NAMES:
            return OLD_NAMES[name].read(self)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OLD_NAMES:
            write_old(name, value, vars(self), by_hand=True)
            self.check()
        else:
            super().__setattr__(name, value)

    # Where this process stands. Reading these loads torch.

    @property
    def device(self) -> torch.device:
        """The device of this process: its GPU, an Apple or Intel device, or the CPU."""
        return processes.device(self.use_cpu)

    @property
    def n_gpu(self) -> int:
        """GPUs that this one process drives, 0 on the CPU. Set `args._n_gpu = 1` to use one of several."""
        return vars(self).get("_n_gpu", processes.devices_of_this_process(self.use_cpu))

    @property
    def train_batch_size(self) -> int:
        """Examples in a training batch of this process."""
        return self.per_device_train_batch_size * max(1, self.n_gpu)

    @property
    def eval_batch_size(self) -> int:
        """Examples in an evaluation batch of this process."""
        return self.per_device_eval_batch_size * max(1, self.n_gpu)

    @property
    def world_size(self) -> int:
        """How many processes train together."""
        return processes.world_size()

    @property
    def process_index(self) -> int:
        """The number of this process among all, from 0."""
        return processes.process_index()

    @property
    def local_process_index(self) -> int:
        """The number of this process on its machine, from 0."""
        return processes.local_process_index()

    @property
    def parallel_mode(self) -> ParallelMode:
        if self.world_size > 1:
            return ParallelMode.DISTRIBUTED
        return ParallelMode.NOT_DISTRIBUTED if self.n_gpu > 1 else ParallelMode.NOT_PARALLEL

    @property
    def should_log(self) -> bool:
        return (self.local_process_index if self.log_on_each_node else self.process_index) == 0

    @property
    def should_save(self) -> bool:
        return (self.local_process_index if self.save_on_each_node else self.process_index) == 0

    @property
    def place_model_on_device(self) -> bool:
        """Whether the trainer moves the model to the device; a subclass that places it itself says False."""
        return True

    @property
    def ddp_timeout_delta(self) -> timedelta:
        return timedelta(seconds=self.ddp_timeout)

    @property
    def mixed_precision(self) -> str:
        """ "fp16", "bf16" or "no"; if the arguments say nothing, what `accelerate launch` says."""
        return "fp16" if self.fp16 else "bf16" if self.bf16 else os.environ.get("ACCELERATE_MIXED_PRECISION", "no")

    def main_process_first(self, local: bool = True, desc: str = "work") -> contextlib.AbstractContextManager[None]:
        """`with args.main_process_first(): …` the main process works first, the others then find its caches.

        local: the main process of each machine, for caches on its own disk. desc is for your reader.
        """
        return processes.main_process_first(local, self.use_cpu, self.ddp_backend, self.ddp_timeout_delta)

    def get_process_log_level(self) -> int:
        """The level for logging.setLevel in this process; "passive" leaves it as it is."""
        word = self.log_level if self.should_log else self.log_level_replica
        if word == LogLevel.PASSIVE:
            return logging.getLogger("nabi").getEffectiveLevel()
        return logging.DEBUG if word == LogLevel.DETAIL else getattr(logging, str(word).upper())

    def get_warmup_steps(self, num_training_steps: int) -> int:
        """Steps in which the learning rate rises: warmup_steps, or the part that warmup_ratio says, rounded up."""
        if self.warmup_steps >= 1:
            return int(self.warmup_steps)
        return math.ceil(num_training_steps * (self.warmup_steps or self.warmup_ratio))

    # To a file and back.

    def to_dict(self) -> dict[str, Any]:
        """Name -> value that JSON can hold; a token is hidden as "<HUB_TOKEN>"."""
        return {one.name: self._plain(one.name) for one in fields(self) if one.init}

    def _plain(self, name: str) -> Any:
        value = getattr(self, name)
        if name.endswith("_token"):
            return hidden(name)
        if isinstance(value, list):
            return [one.value if isinstance(one, Enum) else one for one in value]
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, Path):
            return str(value)
        if hasattr(value, "to_dict"):
            return value.to_dict()
        return value.to_json() if name == "parallelism_config" and value is not None else value

    def to_json_string(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_sanitized_dict(self) -> dict[str, Any]:
        """As to_dict, with the sizes of whole batches; what is no plain value is text. For TensorBoard and its like."""
        values = {**self.to_dict(), "train_batch_size": self.train_batch_size, "eval_batch_size": self.eval_batch_size}
        return {name: v if type(v) in (bool, int, float, str) else str(v) for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Arguments from what to_dict gave, here or in transformers; hidden tokens are left out."""
        return cls(**{name: value for name, value in values.items() if value != hidden(name)})

    @classmethod
    def from_json(cls, file: str | os.PathLike[str]) -> Self:
        """Arguments from the file that to_json_string went into: training_args.json of a checkpoint."""
        return cls.from_dict(dict_of("file", Path(file)) or {})

    def __str__(self) -> str:
        shown = {one.name: getattr(self, one.name) for one in fields(self)}
        lines = [f"{n}={hidden(n) if n.endswith('_token') else v},\n" for n, v in sorted(shown.items())]
        return f"{type(self).__name__}(\n{''.join(lines)})"

    __repr__ = __str__


@dataclass(repr=False)
class Seq2SeqTrainingArguments(TrainingArguments):
    """TrainingArguments, and how an evaluation generates."""

    sortish_sampler: bool = arg(False, "batches of texts of nearly equal length")
    predict_with_generate: bool = arg(False, "evaluate on generated text (ROUGE, BLEU), not on the loss alone")
    generation_max_length: int | None = arg(None, "max_length when it generates; the model's own if left out")
    generation_num_beams: int | None = arg(None, "num_beams when it generates; the model's own if left out")
    generation_config: Any = arg(None, "a GenerationConfig, or the name or folder of one")
