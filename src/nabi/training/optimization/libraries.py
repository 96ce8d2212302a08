"""Optimizers that other libraries have: one table, name -> library, class and settings."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from ..arguments.checks import of_text
from ..arguments.choices import OptimizerNames as Name

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

Given = dict[str, str]  # optim_args by name; each settings function takes out what it knows
Settings = Callable[["TrainingArguments", Given], dict[str, Any]]


class Library(NamedTuple):
    """package: what pip installs. module, cls: where the class is. of_targets: settings of the target modules alone."""

    package: str
    module: str
    cls: str
    settings: Settings
    of_targets: Settings | None = None
    takes_model: bool = False


def read_switch(text: str) -> bool:
    return of_text("the optimizer's switch", text, bool)


def read_dtype(text: str) -> torch.dtype:
    dtype = getattr(torch, text, None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{text!r} is no dtype of torch, such as float32 or bfloat16")
    return dtype


def taken(given: Given, readers: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Setting -> value, of readers: setting -> (how its text is read, default). A default of None stays out."""
    values = {}
    for name, (read, default) in readers.items():
        try:
            values[name] = read(given.pop(name)) if name in given else default
        except ValueError as error:
            raise ValueError(f"optim_args: {name}: {error}") from None
    return {name: value for name, value in values.items() if value is not None}


def nothing(args: TrainingArguments, given: Given) -> dict[str, Any]:
    return {}


def adam(args: TrainingArguments, given: Given) -> dict[str, Any]:
    return {"betas": (args.adam_beta1, args.adam_beta2), "eps": args.adam_epsilon}


def bits_and_bytes(kind: str, bits: int, paged: bool = False) -> Library:
    def settings(args: TrainingArguments, given: Given) -> dict[str, Any]:
        storage: dict[str, Any] = {"optim_bits": bits, "is_paged": paged}
        if kind == "AdamW":
            return {**adam(args, given), **storage}
        if kind == "Lion":
            return {"betas": (args.adam_beta1, args.adam_beta2), **storage}
        if kind == "RMSprop":
            known = taken(given, {name: (float, None) for name in ("alpha", "eps", "weight_decay", "momentum")})
            return {**known, "optim_bits": bits}
        betas = {"beta1": args.adam_beta1, "beta2": args.adam_beta2, "beta3": 0.9999}
        own = taken(given, {"alpha": (float, 5.0), "eps": (float, args.adam_epsilon)})
        slow = taken(given, {"t_alpha": (int, None), "t_beta3": (int, None)})
        betas_given = taken(given, {name: (float, usual) for name, usual in betas.items()})
        return {"betas": tuple(betas_given.values()), **own, **slow, **storage}

    return Library("bitsandbytes", "bitsandbytes.optim", kind, settings)


def low_rank(args: TrainingArguments, given: Given) -> dict[str, Any]:
    readers = {"rank": (int, 128), "update_proj_gap": (int, 200), "scale": (float, 0.25), "proj_type": (str, "std")}
    return taken(given, readers)


def low_rank_of_apollo(args: TrainingArguments, given: Given) -> dict[str, Any]:
    own = taken(given, {"proj": (str, "random"), "scale_type": (str, "channel"), "scale": (float, 1.0)})
    return {**low_rank(args, given), **own, **adam(args, given)}


def fixed_rate(args: TrainingArguments, given: Given) -> dict[str, Any]:
    return {"scale_parameter": False, "relative_step": False}


def any_precision(args: TrainingArguments, given: Given) -> dict[str, Any]:
    readers = {
        "use_kahan_summation": (read_switch, False),
        "momentum_dtype": (read_dtype, torch.float32),
        "variance_dtype": (read_dtype, torch.float32),
        "compensation_buffer_dtype": (read_dtype, torch.bfloat16),
    }
    return {**adam(args, given), **taken(given, readers)}


def torchao(args: TrainingArguments, given: Given) -> dict[str, Any]:
    own = taken(given, {"block_size": (int, 256), "bf16_stochastic_round": (read_switch, False)})
    return {**adam(args, given), **own}


def grokking(args: TrainingArguments, given: Given) -> dict[str, Any]:
    usual = {"alpha_init": 0.98, "lamb": 2.0, "gamma": 0.1, "grokking_signal_decay_rate": 0.1, "gradient_clipping": 1.0}
    return taken(given, {name: (float, value) for name, value in usual.items()})


def schedule_free(with_adam: bool, with_warmup: bool) -> Settings:
    def settings(args: TrainingArguments, given: Given) -> dict[str, Any]:
        own = taken(given, {"weight_lr_power": (float, 2.0), "r": (float, 0.0)})
        warmup = {"warmup_steps": args.warmup_steps} if with_warmup else {}
        return {**(adam(args, given) if with_adam else {}), "weight_decay": args.weight_decay, **warmup, **own}

    return settings


def stable(args: TrainingArguments, given: Given) -> dict[str, Any]:
    readers = {"decouple_lr": (read_switch, False), "max_lr": (float, None), "kahan_sum": (read_switch, None)}
    return {**adam(args, given), "weight_decay": args.weight_decay, **taken(given, readers)}


GALORE = ("galore-torch", "galore_torch")
FREE = ("schedulefree", "schedulefree")
LIBRARIES: dict[str, Library] = {
    Name.ADAMW_TORCH_XLA: Library("torch_xla", "torch_xla.amp.syncfree", "AdamW", adam),
    Name.ADAMW_TORCH_NPU_FUSED: Library("torch_npu", "torch_npu.optim", "NpuFusedAdamW", adam),
    Name.ADAMW_ANYPRECISION: Library("torchdistx", "torchdistx.optimizers", "AnyPrecisionAdamW", any_precision),
    Name.ADAMW_TORCH_4BIT: Library("torchao", "torchao.optim", "AdamW4bit", torchao),
    Name.ADAMW_TORCH_8BIT: Library("torchao", "torchao.optim", "AdamW8bit", torchao),
    Name.ADAMW_BNB: bits_and_bytes("AdamW", 8),
    Name.ADAMW_8BIT: bits_and_bytes("AdamW", 8),
    Name.PAGED_ADAMW: bits_and_bytes("AdamW", 32, paged=True),
    Name.PAGED_ADAMW_8BIT: bits_and_bytes("AdamW", 8, paged=True),
    Name.ADEMAMIX: bits_and_bytes("AdEMAMix", 32),
    Name.ADEMAMIX_8BIT: bits_and_bytes("AdEMAMix", 8),
    Name.PAGED_ADEMAMIX: bits_and_bytes("AdEMAMix", 32, paged=True),
    Name.PAGED_ADEMAMIX_8BIT: bits_and_bytes("AdEMAMix", 8, paged=True),
    Name.LION: bits_and_bytes("Lion", 32),
    Name.LION_8BIT: bits_and_bytes("Lion", 8),
    Name.PAGED_LION: bits_and_bytes("Lion", 32, paged=True),
    Name.PAGED_LION_8BIT: bits_and_bytes("Lion", 8, paged=True),
    Name.RMSPROP_BNB: bits_and_bytes("RMSprop", 32),
    Name.RMSPROP_8BIT: bits_and_bytes("RMSprop", 8),
    Name.RMSPROP_32BIT: bits_and_bytes("RMSprop", 32),
    Name.GALORE_ADAMW: Library(*GALORE, "GaLoreAdamW", nothing, low_rank),
    Name.GALORE_ADAMW_8BIT: Library(*GALORE, "GaLoreAdamW8bit", nothing, low_rank),
    Name.GALORE_ADAFACTOR: Library(*GALORE, "GaLoreAdafactor", fixed_rate, low_rank),
    Name.APOLLO_ADAMW: Library("apollo-torch", "apollo_torch", "APOLLOAdamW", nothing, low_rank_of_apollo),
    Name.LOMO: Library("lomo-optim", "lomo_optim", "Lomo", nothing, takes_model=True),
    Name.ADALOMO: Library("lomo-optim", "lomo_optim", "AdaLomo", nothing, takes_model=True),
    Name.GROKADAMW: Library("grokadamw", "grokadamw", "GrokAdamW", grokking),
    Name.SCHEDULE_FREE_RADAM: Library(*FREE, "RAdamScheduleFree", schedule_free(with_adam=True, with_warmup=False)),
    Name.SCHEDULE_FREE_ADAMW: Library(*FREE, "AdamWScheduleFree", schedule_free(with_adam=True, with_warmup=True)),
    Name.SCHEDULE_FREE_SGD: Library(*FREE, "SGDScheduleFree", schedule_free(with_adam=False, with_warmup=True)),
    Name.STABLE_ADAMW: Library("torch-optimi", "optimi", "StableAdamW", stable),
}


def library_class(name: Name) -> type:
    """The class of an optimizer; ImportError that says what to install."""
    library = LIBRARIES[name]
    try:
        return getattr(importlib.import_module(library.module), library.cls)
    except (ImportError, AttributeError):
        raise ImportError(
            f'optim="{name}" is of the library {library.package}: pip install -U {library.package}'
        ) from None


def target_groups(model: nn.Module, targets: Any, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Two groups: all other parameters, and the weights of the target linear modules with their own settings.

    targets: "all-linear", a regular expression for a module's whole name, or a list of such and of parts of names.
    """
    if not targets or not isinstance(targets, (str, list)):
        raise ValueError(
            f'this optimizer needs optim_target_modules, and it is {targets!r}: say "all-linear", or parts of the '
            'names of linear modules, as ["attn", "mlp"]'
        )
    chosen = {
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and is_target(name, targets)
    }
    if not chosen:
        raise ValueError(f"optim_target_modules={targets!r} fits no linear module of {type(model).__name__}")
    parameters = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    return [
        {"params": [one for name, one in parameters if name not in chosen]},
        {"params": [one for name, one in parameters if name in chosen], **settings},
    ]


def is_target(name: str, targets: str | list[str]) -> bool:
    if isinstance(targets, str):
        return targets.replace("_", "-") == "all-linear" or re.fullmatch(targets, name) is not None
    return any(target in name or re.fullmatch(target, name) for target in targets)
