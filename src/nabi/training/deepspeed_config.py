"""The config of DeepSpeed worked together with the arguments: what it leaves out, or calls "auto", is as they say; what
it says otherwise is an error."""

from __future__ import annotations

import copy
from typing import Any

ADAM = ("adam", "adamw")  # optimizers of DeepSpeed that take all four of our settings


def filled(given: dict[str, Any], args: Any, model: Any = None, steps: int | None = None) -> dict[str, Any]:
    """The config with the arguments worked in; of the model's width and the number of updates where these are known.

    Raises ValueError that lists every value which is not what the arguments say.
    """
    config = copy.deepcopy(given)
    batch, accumulated = args.per_device_train_batch_size, args.gradient_accumulation_steps
    always: dict[str, tuple[str, Any]] = {
        "train_micro_batch_size_per_gpu": ("per_device_train_batch_size", batch),
        "gradient_accumulation_steps": ("gradient_accumulation_steps", accumulated),
        "train_batch_size": ("rows of an update in all processes", batch * accumulated * args.world_size),
        "gradient_clipping": ("max_grad_norm", args.max_grad_norm),
        "fp16.enabled": ("fp16", args.mixed_precision == "fp16"),
        "bf16.enabled": ("bf16", args.mixed_precision == "bf16"),
    }
    of_adam = {
        "optimizer.params.lr": ("learning_rate", args.learning_rate),
        "optimizer.params.weight_decay": ("weight_decay", args.weight_decay),
        "optimizer.params.betas": ("adam_beta1, adam_beta2", [args.adam_beta1, args.adam_beta2]),
        "optimizer.params.eps": ("adam_epsilon", args.adam_epsilon),
    }
    if "optimizer" in config:
        always["optimizer.params.lr"] = of_adam["optimizer.params.lr"]
        if str(config["optimizer"].get("type")).lower() in ADAM:
            always.update(of_adam)
    present = {**of_adam, "scheduler.params.warmup_max_lr": ("learning_rate", args.learning_rate)}
    free = {"scheduler.params.warmup_min_lr": 0, "zero_optimization.stage3_gather_16bit_weights_on_model_save": True}
    if steps is not None:
        present["scheduler.params.total_num_steps"] = ("number of updates", steps)
        warmup = max(args.get_warmup_steps(steps), 1)  # DeepSpeed takes no 0
        present["scheduler.params.warmup_num_steps"] = ("warmup_steps", warmup)
    if model is not None:
        free.update(bucket_sizes(config, model))
    wrong = []
    for path, (name, value) in {**present, **always}.items():
        if path in always:
            section(config, path, make=True).setdefault(path.split(".")[-1], "auto")
        found = value_at(config, path)
        if found == "auto":
            section(config, path)[path.split(".")[-1]] = value
        elif found is not None and found != value:
            wrong.append(f"{path} is {found}, but {name} {value}")
    if wrong:
        raise ValueError(f'the config of DeepSpeed and the arguments differ: {"; ".join(wrong)}. Say "auto" there')
    for path, value in free.items():
        if value_at(config, path) == "auto":
            section(config, path)[path.split(".")[-1]] = value
    if model is not None and (left := paths_of_auto(config)):
        raise ValueError(f'the config of DeepSpeed has {left[0]}: "auto", which no argument tells: say its value')
    return config


def section(config: dict[str, Any], path: str, make: bool = False) -> dict[str, Any]:
    """The dict that holds the last name of a path like optimizer.params.lr; {} if there is none."""
    for name in path.split(".")[:-1]:
        config = config.setdefault(name, {}) if make else config.get(name) or {}
    return config


def value_at(config: dict[str, Any], path: str) -> Any:
    return section(config, path).get(path.split(".")[-1])


def paths_of_auto(config: dict[str, Any], before: str = "") -> list[str]:
    found = [before + name for name, value in config.items() if value == "auto"]
    for name, value in config.items():
        found += paths_of_auto(value, f"{before}{name}.") if isinstance(value, dict) else []
    return found


def bucket_sizes(config: dict[str, Any], model: Any) -> dict[str, int]:
    """Sizes that DeepSpeed's users tie to the model's width; {} if the config calls none of them "auto"."""
    names = ("reduce_bucket_size", "stage3_prefetch_bucket_size", "stage3_param_persistence_threshold")
    auto = [name for name in names if value_at(config, f"zero_optimization.{name}") == "auto"]
    if not auto:
        return {}
    own = getattr(model, "config", None)
    for one in (own, getattr(own, "text_config", None)):
        width = getattr(one, "hidden_size", None) or max(getattr(one, "hidden_sizes", None) or [0])
        if width:
            sizes = (width * width, width * width * 9 // 10, width * 10)
            return {f"zero_optimization.{name}": size for name, size in zip(names, sizes, strict=True)}
    raise ValueError(
        f'the config of DeepSpeed has zero_optimization.{auto[0]}: "auto", but {type(model).__name__} has no '
        "config.hidden_size: say a number"
    )
