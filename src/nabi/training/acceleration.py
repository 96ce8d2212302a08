"""From the arguments to accelerate, which knows devices, processes, mixed precision, sharding and DeepSpeed.

torchrun --nproc_per_node 2 train.py            one copy of the model in each process (DDP)
…  with fsdp=True in the arguments              its weights, gradients and optimizer in parts (FSDP 2)
…  with deepspeed="config.json"                 the same by DeepSpeed: see deepspeed.py
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from torch import nn

from ..nn.block import Block
from . import deepspeed

logger = logging.getLogger(__name__)

# Keys of fsdp_config that tune FSDP 1 alone: they change no number, and FSDP 2 does by itself what they ask for.
ONLY_FSDP_1 = ("backward_prefetch", "forward_prefetch", "limit_all_gathers", "sync_module_states", "use_orig_params")
WRAPPING = ("TRANSFORMER_BASED_WRAP", "SIZE_BASED_WRAP", "NO_WRAP")


def make_accelerator(args: Any) -> Any:
    """The Accelerator that these arguments ask for. Under torchrun it joins the other processes.

    Raises ValueError for settings that do not go together, ImportError where a library is missing.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    check_acceleration(args)
    if not args.accelerator_config.use_configured_state:  # what an earlier trainer of this process asked for is over
        AcceleratorState._reset_state(reset_partial_state=True)
    if deepspeed.is_asked_for(args):
        return accelerator_of_deepspeed(args)
    launched = os.environ.get("ACCELERATE_USE_FSDP")  # accelerate sets it for good: later trainers would shard too
    plugin = sharding_plugin(args) if args.fsdp else None
    accelerator = Accelerator(
        cpu=args.use_cpu,
        mixed_precision=args.mixed_precision,
        fsdp_plugin=plugin,
        kwargs_handlers=handlers(args),
        parallelism_config=args.parallelism_config,
    )
    if args.fsdp and launched is None:
        os.environ.pop("ACCELERATE_USE_FSDP", None)
    if plugin is not None and accelerator.distributed_type == "MULTI_CPU":
        shard_on_cpus(accelerator, plugin)
    return accelerator


def accelerator_of_deepspeed(args: Any) -> Any:
    """The processes are joined before accelerate hears of DeepSpeed: it would leave CPUs alone, and be for good."""
    from accelerate import Accelerator, PartialState

    plugin = deepspeed.make_plugin(args)
    launched = os.environ.pop("ACCELERATE_USE_DEEPSPEED", None)
    PartialState(cpu=args.device.type == "cpu", backend=args.ddp_backend, timeout=args.ddp_timeout_delta)
    try:
        return Accelerator(mixed_precision="no", deepspeed_plugin=plugin)  # the config says which
    finally:
        os.environ.pop("ACCELERATE_USE_DEEPSPEED", None)
        if launched is not None:
            os.environ["ACCELERATE_USE_DEEPSPEED"] = launched


def check_acceleration(args: Any) -> None:
    """Raises ValueError for what cannot be done with these processes and this device."""
    config = args.accelerator_config
    if config.split_batches:
        raise ValueError(
            "accelerator_config has split_batches=True: leave it out and divide per_device_train_batch_size by the "
            "number of processes, which comes to the same"
        )
    if not config.even_batches:
        raise ValueError(
            "accelerator_config has even_batches=False, but processes with fewer batches would leave the others "
            "waiting: leave it out; evaluation counts each example once anyway"
        )
    if (config.gradient_accumulation_kwargs or {}).get("num_steps", 1) != 1:
        raise ValueError("accelerator_config has num_steps: say gradient_accumulation_steps in the arguments instead")
    if args.mixed_precision == "fp16" and args.device.type == "cpu":
        raise ValueError("fp16=True needs a GPU: on the CPU say bf16=True, or neither")
    if args.fsdp and args.world_size == 1:
        raise ValueError(
            "fsdp shards a model over several processes, but there is one: start the script by "
            "torchrun --nproc_per_node <number of GPUs>, or leave fsdp out"
        )


def handlers(args: Any) -> list[Any]:
    """What DDP and the processes' talk are told."""
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    unused = args.ddp_find_unused_parameters
    names = {
        # checkpointed blocks run their forward twice, which DDP's search for unused weights cannot follow
        "find_unused_parameters": not recomputes(args) if unused is None else unused,
        "bucket_cap_mb": args.ddp_bucket_cap_mb,
        "broadcast_buffers": args.ddp_broadcast_buffers,
        "static_graph": args.ddp_static_graph,
    }
    found: list[Any] = [DistributedDataParallelKwargs(**{name: v for name, v in names.items() if v is not None})]
    if args.world_size > 1:
        found.append(InitProcessGroupKwargs(backend=args.ddp_backend, timeout=args.ddp_timeout_delta))
    return found


# --- FSDP ---------------------------------------------------------------------------------------------------------


def sharding_plugin(args: Any) -> Any:
    """accelerate's settings of FSDP 2 from fsdp_config. FSDP 1 gives the same numbers, so 2 does its work."""
    from accelerate.utils import FullyShardedDataParallelPlugin

    given = dict(args.fsdp_config)
    if int(given.pop("version", 2)) == 1:
        logger.warning("fsdp_config asks for FSDP 1, which torch is giving up: FSDP 2 shards in its place")
    for name in ONLY_FSDP_1:
        given.pop(name, None)
    if str(given.pop("state_dict_type", "FULL_STATE_DICT")).upper() != "FULL_STATE_DICT":
        logger.warning("fsdp_config asks for sharded checkpoints: each is written whole, for any number of processes")
    for name in [name for name in given if name.startswith("xla")]:
        if given.pop(name):
            raise ValueError(f"fsdp_config has {name}, which is for TPUs; nabi trains on GPUs and CPUs")
    if (wrapping := str(given.get("auto_wrap_policy", WRAPPING[0])).upper()) not in WRAPPING:
        raise ValueError(f"fsdp_config has auto_wrap_policy={wrapping!r}; there are {', '.join(WRAPPING)}")
    settings = {
        "fsdp_version": 2,
        "auto_wrap_policy": wrapping,
        "transformer_cls_names_to_wrap": given.pop("transformer_layer_cls_to_wrap", None),
        "min_num_params": given.pop("min_num_params", 0) if wrapping == "SIZE_BASED_WRAP" else None,
        "reshard_after_forward": resharded(given.pop("reshard_after_forward", True)),
        **{name: is_true(given.pop(name, False)) for name in ("cpu_offload", "cpu_ram_efficient_loading")},
        "state_dict_type": "FULL_STATE_DICT",
    }
    for name in ("auto_wrap_policy", "min_num_params", "activation_checkpointing"):  # the last: see recomputes()
        given.pop(name, None)
    if given:
        names = ("version", "transformer_layer_cls_to_wrap", "activation_checkpointing")
        known = ", ".join([*ONLY_FSDP_1, *names, *(name for name in settings if name[:4] not in ("fsdp", "tran"))])
        raise ValueError(f"fsdp_config has {', '.join(given)}, which is not known; there are {known}")
    return FullyShardedDataParallelPlugin(**settings)


def recomputes(args: Any) -> bool:
    """Whether activations are computed twice to save memory; asked for by FSDP's own setting, the model does it too."""
    return args.activation_checkpointing or (args.fsdp and is_true(args.fsdp_config.get("activation_checkpointing")))


def is_true(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes")


def resharded(value: Any) -> bool:
    """Whether weights are given back after the forward pass, from a switch or from a word of FSDP 1."""
    words = {"full_shard": True, "shard_grad_op": False, "true": True, "false": False}
    if (word := str(value).lower()) not in words:
        raise ValueError(
            f"fsdp_config has reshard_after_forward={value!r}; there are True (or full_shard) and False "
            "(or shard_grad_op). For whole copies in every process leave fsdp out"
        )
    return words[word]


def shard_on_cpus(accelerator: Any, plugin: Any) -> None:
    """accelerate shards on GPUs alone and would quietly copy here; torch's FSDP 2 shards on CPUs as well, by gloo."""
    from accelerate.utils import DistributedType

    if accelerator.mixed_precision != "no":
        plugin.set_mixed_precision(accelerator.mixed_precision)
    accelerator.state.fsdp_plugin = plugin
    accelerator.state.distributed_type = DistributedType.FSDP


def shards(accelerator: Any) -> bool:
    """Whether the model will be sharded: by the arguments, or by `accelerate launch`."""
    return getattr(accelerator.distributed_type, "value", "") == "FSDP"


def name_blocks(accelerator: Any, model: nn.Module) -> None:
    """Say which modules are gathered one at a time: the blocks of a nabi model, unless fsdp_config names others."""
    plugin = accelerator.state.fsdp_plugin
    names = {type(module).__name__ for module in model.modules()}
    wanted = plugin.transformer_cls_names_to_wrap or []
    blocks = sorted({type(module).__name__ for module in model.modules() if isinstance(module, Block)})
    foreign = [name for name in wanted if name not in names]
    if foreign and not blocks:
        raise ValueError(f"fsdp_config has transformer_layer_cls_to_wrap={foreign[0]!r}; the model has {sorted(names)}")
    if foreign:  # the class has another name in transformers: BertLayer
        logger.warning("fsdp_config wraps %s; here these are %s", ", ".join(foreign), ", ".join(blocks))
    if not wanted or foreign:
        plugin.transformer_cls_names_to_wrap = blocks


def is_sharded(model: nn.Module) -> bool:
    """Whether this process holds parts of the weights only."""
    tensor = sys.modules.get("torch.distributed.tensor")  # slow to load, and who shards has loaded it
    return tensor is not None and any(isinstance(weight, tensor.DTensor) for weight in model.parameters())
