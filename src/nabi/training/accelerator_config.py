"""Settings that go to accelerate, Hugging Face's engine for devices: its dataloaders, and sharding by FSDP."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from .argument_checks import dict_of, of_text, words_of

SHARDING_WORDS = ("full_shard", "shard_grad_op", "no_shard", "hybrid_shard", "hybrid_shard_zero2")


@dataclass
class AcceleratorConfig:
    """accelerator_config of the training arguments.

    split_batches: a batch is divided among the processes; else each has a whole one.
    dispatch_batches: the main process alone reads the data; None: for iterable data.
    even_batches: repeat the first examples where the last batches do not come out even.
    """

    split_batches: bool = False
    dispatch_batches: bool | None = None
    even_batches: bool = True
    use_seedable_sampler: bool = True
    non_blocking: bool = False
    gradient_accumulation_kwargs: dict[str, Any] | None = None
    use_configured_state: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def accelerator_config(value: Any) -> AcceleratorConfig:
    """From a dict, JSON text, a JSON file or the object itself; an unknown key is a TypeError."""
    if isinstance(value, AcceleratorConfig):
        return value
    settings = dict_of("accelerator_config", value) or {}
    known = [one.name for one in fields(AcceleratorConfig)]
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"accelerator_config has no key {key!r}; {hint}")
    return AcceleratorConfig(**settings)


def sharding(fsdp: Any, config: Any) -> tuple[bool, dict[str, Any]]:
    """fsdp and fsdp_config in any of their forms -> whether to shard, and the settings without the prefix "fsdp_".

    v4's words become settings: "full_shard auto_wrap offload" is reshard_after_forward=True, cpu_offload=True.
    """
    settings = {key.removeprefix("fsdp_"): value for key, value in (dict_of("fsdp_config", config) or {}).items()}
    if fsdp in (None, False, "", []):
        return False, settings
    layers = settings.get("transformer_layer_cls_to_wrap")
    if isinstance(layers, str):
        settings["transformer_layer_cls_to_wrap"] = [layers]
    if isinstance(fsdp, str) and fsdp.lower() in ("true", "false"):
        fsdp = of_text("fsdp", fsdp, bool)
    if isinstance(fsdp, bool):
        return fsdp, settings
    for word in (words := words_of(fsdp)):
        if word == "offload":
            settings.setdefault("cpu_offload", True)
        elif word in SHARDING_WORDS:
            settings.setdefault("reshard_after_forward", resharding(word, int(settings.get("version", 2))))
        elif word != "auto_wrap":  # wrapping layer by layer is what happens anyway
            raise ValueError(f"fsdp={word!r} is not known; there are {', '.join(SHARDING_WORDS)}, offload, auto_wrap")
    if words == ["offload"]:
        raise ValueError('fsdp="offload" says where shards go but not what to shard: "full_shard offload"')
    return True, settings


def resharding(word: str, version: int) -> bool | str:
    if version == 1:
        return word
    if word not in ("full_shard", "shard_grad_op"):
        raise ValueError(f'fsdp={word!r} is of FSDP 1: say fsdp_config={{"version": 1}}, or fsdp="full_shard"')
    return word == "full_shard"
