"""Settings that go to accelerate, Hugging Face's engine for devices: its dataloaders, and sharding by FSDP."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from .checks import dict_of, words_of

# v4's words for fsdp, and what they say in fsdp_config.
SHARDING_WORDS: dict[str, dict[str, Any]] = {
    "full_shard": {"reshard_after_forward": True},
    "shard_grad_op": {"reshard_after_forward": False},
    "offload": {"cpu_offload": True},
    "auto_wrap": {},  # layer by layer is how it is done anyway
}


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


def read_accelerator_config(value: Any) -> AcceleratorConfig:
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


def read_sharding(fsdp: Any, config: Any) -> tuple[bool, dict[str, Any]]:
    """fsdp and fsdp_config in any of their forms -> whether to shard, and the settings without the prefix "fsdp_".

    v4's words become settings: "full_shard auto_wrap offload" is reshard_after_forward=True, cpu_offload=True.
    """
    settings = {key.removeprefix("fsdp_"): value for key, value in (dict_of("fsdp_config", config) or {}).items()}
    layers = settings.get("transformer_layer_cls_to_wrap")
    if isinstance(layers, str):
        settings["transformer_layer_cls_to_wrap"] = [layers]
    if isinstance(fsdp, str) and fsdp.lower() in ("true", "false"):
        fsdp = fsdp.lower() == "true"
    if isinstance(fsdp, bool):
        return fsdp, settings
    words = words_of(fsdp)
    for word in words:
        if word not in SHARDING_WORDS:
            raise ValueError(
                f"fsdp={word!r} is not known; there are true and, of v4, {', '.join(SHARDING_WORDS)}. Other ways to "
                "shard were of FSDP 1, which torch is giving up"
            )
        settings = {**SHARDING_WORDS[word], **settings}
    if words == ["offload"]:
        raise ValueError('fsdp="offload" says where shards go but not what to shard: "full_shard offload"')
    return bool(words), settings
