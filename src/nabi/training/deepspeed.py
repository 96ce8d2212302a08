"""DeepSpeed by way of accelerate: its engine in the loop, its part of a checkpoint.

torchrun --nproc_per_node 2 train.py          with deepspeed="config.json" (or a dict) in the arguments
accelerate launch --use_deepspeed train.py    the settings come with the launcher
"""

from __future__ import annotations

import copy
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from . import counting
from .deepspeed_config import filled
from .optimization.decay import decay_groups

if TYPE_CHECKING:
    from .trainer import Trainer

STATE = "global_step"  # the folder in a checkpoint that the engine fills begins so


def is_asked_for(args: Any) -> bool:
    """Whether the arguments or `accelerate launch` want DeepSpeed."""
    return bool(args.deepspeed) or os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() in ("true", "1")


def runs(accelerator: Any) -> bool:
    return getattr(accelerator.distributed_type, "value", "") == "DEEPSPEED"


# --- the settings -------------------------------------------------------------------------------------------------


def make_plugin(args: Any) -> Any:
    """accelerate's DeepSpeedPlugin. Raises ImportError without deepspeed, ValueError for a config that does not fit."""
    if args.fsdp:
        raise ValueError("fsdp and deepspeed both shard the model: leave out one of them")
    if args.parallelism_config is not None:
        raise ValueError("parallelism_config does not go together with deepspeed: leave out one of them")
    if "LOCAL_RANK" not in os.environ:
        raise ValueError(
            "deepspeed needs a launcher, for one process too: start the script by "
            "torchrun --nproc_per_node <number of GPUs>"
        )
    if importlib.util.find_spec("deepspeed") is None:
        raise ImportError("the arguments or the launcher ask for DeepSpeed, which is missing: pip install deepspeed")
    if args.device.type == "cpu":
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from accelerate import DeepSpeedPlugin

    given = {"gradient_accumulation_steps": "auto", "zero_optimization": {"stage": 0}, **(args.deepspeed or {})}
    plugin = DeepSpeedPlugin(hf_ds_config=given if args.deepspeed else None)
    plugin.given = copy.deepcopy(given if args.deepspeed else plugin.deepspeed_config)
    take(plugin, filled(plugin.given, args))
    return plugin


def take(plugin: Any, config: dict[str, Any]) -> None:
    """Have the plugin use this config."""
    plugin.deepspeed_config.clear()
    plugin.deepspeed_config.update(config, steps_per_print=float("inf"))


# --- the engine ---------------------------------------------------------------------------------------------------


def start(trainer: Trainer, max_steps: int) -> None:
    """Put the model into an engine, with the optimizer and schedule of the config where it has them, else ours."""
    from accelerate.utils import DummyOptim, DummyScheduler

    accelerator, args = trainer.accelerator, trainer.args
    if accelerator.deepspeed_engine_wrapped is not None:  # of an earlier call of train()
        accelerator.free_memory()
    accelerator.gradient_accumulation_steps = args.gradient_accumulation_steps
    plugin = accelerator.state.deepspeed_plugin
    config = filled(plugin.given, args, trainer.model, max_steps)
    take(plugin, config)
    for name, own in (("optimizer", trainer.optimizer), ("scheduler", trainer.lr_scheduler)):
        if name in config and own is not None:
            raise ValueError(f"the config of DeepSpeed has a {name}, and so has Trainer(optimizers=…): give one")
    optimizer: Any = trainer.create_optimizer() if "optimizer" not in config else DummyOptim(groups(trainer.model))
    if callable(getattr(optimizer, "train", None)):
        raise ValueError(
            f"optim={str(args.optim)!r} evaluates with other weights than it trains, which the engine's copies cannot "
            "follow: choose another optim with deepspeed"
        )
    counting.weights_in(trainer.model)  # while they are whole
    parts = [trainer.model, optimizer] + ([DummyScheduler(optimizer)] if "scheduler" in config else [])
    engine = accelerator.prepare(*parts)[0]
    trainer.model_wrapped = engine
    trainer.optimizer = EngineOptimizer(engine)
    if "scheduler" in config:  # the loop steps it, as it does any schedule
        trainer.lr_scheduler, engine.lr_scheduler = engine.lr_scheduler, None
    trainer.create_scheduler(max_steps, trainer.optimizer)
    accelerator.deepspeed_engine_wrapped = EngineBackward(engine)
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}
    trainer.input_dtype = half.get(args.mixed_precision)
    if args.torch_compile:
        engine.compile(args.torch_compile_backend or "inductor", {"mode": args.torch_compile_mode})


def groups(model: nn.Module) -> list[dict[str, Any]]:
    """The weights that learn, for an optimizer of the config, whose weight_decay spares biases and norms as ours."""
    decaying, others = decay_groups(model, 0.0)
    return [{"params": decaying["params"]}, others]


class EngineBackward:
    """What accelerator.backward() calls: the gradients alone. (accelerate's own would step as well, before the loop
    has looked at the loss.) A loss has been divided by its update's items, so not by the accumulation again."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def backward(self, loss: Tensor, sync_gradients: bool = True, **options: Any) -> None:
        self.engine.set_gradient_accumulation_boundary(is_boundary=sync_gradients)
        self.engine.backward(loss, **{"scale_wrt_gas": False, **options})


class EngineOptimizer:
    """The engine's optimizer for the loop: step() has the engine clip, step and forget the gradients.

    norm: of the last step's gradients, before clipping.
    """

    def __init__(self, engine: Any) -> None:
        self.engine, self.optimizer = engine, engine.basic_optimizer
        self.norm: Tensor | float | None = None

    @property
    def param_groups(self) -> Any:
        return self.optimizer.param_groups

    def step(self, closure: Any = None) -> None:
        if self.engine.optimizer is self.optimizer:  # ZeRO 0 in fp32: the engine clips, but keeps no norm
            gradients = [weight.grad for group in self.param_groups for weight in group["params"]]
            self.norm = nn.utils.get_total_norm([one for one in gradients if one is not None])
            self.engine.step()
        else:
            self.engine.step()
            self.norm = self.engine.get_global_grad_norm()

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.engine.zero_grad()


# --- checkpoints --------------------------------------------------------------------------------------------------


def save_state(trainer: Trainer, folder: Path) -> None:
    """Every process writes its part of weights and optimizer into folder/global_step<n>, as DeepSpeed stores them."""
    trainer.model_wrapped.save_checkpoint(
        str(folder),
        tag=f"{STATE}{trainer.state.global_step}",
        exclude_frozen_parameters=hasattr(trainer.model, "peft_config"),
    )


def load_state(trainer: Trainer, folder: Path) -> None:
    """Take up what save_state wrote. DeepSpeed reads it as pickle: resume from folders that you trust.

    Raises ValueError for a checkpoint without it, or of another number of processes.
    """
    if not any(folder.glob(f"{STATE}*")):
        raise ValueError(
            f"{folder} holds no {STATE}* of DeepSpeed: it was saved without deepspeed or with save_only_model=True, "
            "and training cannot go on from it in this way; load its model and call train() for a new run"
        )
    saved = len(list(folder.glob(f"{STATE}*/*zero_pp_rank_*_optim_states.pt")))
    world = trainer.args.world_size
    if saved not in (0, world) and not trainer.model_wrapped.load_universal_checkpoint():
        raise ValueError(
            f"{folder} was saved by {saved} processes, and there are {world}, but ZeRO's parts fit their own number "
            "only: start as many, or load its model and call train() for a new run"
        )
    trainer.model_wrapped.load_checkpoint(
        str(folder),
        load_module_strict=not hasattr(trainer.model, "peft_config"),
        load_lr_scheduler_states=False,
    )


def is_partitioned(model: nn.Module) -> bool:
    """Whether each process holds parts of the weights only (ZeRO 3)."""
    return any(hasattr(weight, "ds_id") for weight in model.parameters())


@contextmanager
def whole_weights(model: nn.Module, *, write: bool = False) -> Iterator[None]:
    """While this lasts, the weights that ZeRO 3 has partitioned are whole, on the CPU; every process calls this.

    They are for reading (in the main process), or with write=True to be written in all, and kept.
    """
    if not is_partitioned(model):
        yield
        return
    from deepspeed.runtime.zero import GatheredParameters

    is_main = torch.distributed.get_rank() == 0
    weights = list(dict.fromkeys(model.parameters()))
    whole: dict[nn.Parameter, Tensor] = {}
    for weight in weights:  # one at a time: together they may not fit
        with GatheredParameters([weight]):
            if is_main or write:
                whole[weight] = weight.detach().to("cpu", copy=True)
    parts = {weight: weight.data for weight in whole}
    try:
        for weight, values in whole.items():
            weight.data = values
        yield
    finally:
        for weight, values in parts.items():
            weight.data = values
    if write:
        for weight in weights:
            with GatheredParameters([weight], modifier_rank=0), torch.no_grad():
                weight.copy_(whole[weight])


def model_state(model: nn.Module) -> dict[str, Tensor]:
    """The partitioned weights, whole on the CPU of the main process; {} in the others."""
    with whole_weights(model):
        return dict(model.state_dict()) if torch.distributed.get_rank() == 0 else {}
