"""What training arguments must be, each alone and together. A number that comes as text becomes one."""

from __future__ import annotations

import importlib.util
import json
import math
import numbers
import os
from dataclasses import Field
from pathlib import Path
from typing import Any

# Annotation of a field -> what its value must be; None is welcome where the annotation or the default says so.
PLAIN: dict[Any, type] = {
    **dict.fromkeys(["int", "int | None", int, int | None], int),
    **dict.fromkeys(["float", "float | None", float, float | None], float),
    **dict.fromkeys(["bool", "bool | None", bool, bool | None], bool),
}
NO_LIMIT = math.inf
# Name -> least and greatest value, both allowed.
LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(
        """per_device_train_batch_size per_device_eval_batch_size gradient_accumulation_steps eval_accumulation_steps
        torch_empty_cache_steps dataloader_prefetch_factor ddp_bucket_cap_mb generation_max_length
        generation_num_beams""".split(),
        (1, NO_LIMIT),
    ),
    **dict.fromkeys(
        """num_train_epochs learning_rate weight_decay adam_epsilon max_grad_norm neftune_noise_alpha warmup_steps
        eval_delay dataloader_num_workers ddp_timeout""".split(),
        (0, NO_LIMIT),
    ),
    **dict.fromkeys(["max_steps", "save_total_limit", "local_rank"], (-1, NO_LIMIT)),
    **dict.fromkeys(["label_smoothing_factor", "warmup_ratio"], (0, 1)),
    **dict.fromkeys(["adam_beta1", "adam_beta2"], (0, math.nextafter(1, 0))),
    **dict.fromkeys(["seed", "data_seed"], (0, 2**32 - 1)),  # what NumPy takes
}
# The services that report_to may name, and the library of each.
REPORTERS = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


def checked(field: Field[Any], value: Any) -> Any:
    """The value of a number or switch in its own type and within its limits; other fields come back as they are."""
    kind = PLAIN.get(field.type)
    if kind is None:
        return value
    may_be_none = field.default is None or field.name == "max_grad_norm" or "None" in str(field.type)
    if value is None and may_be_none:
        return None
    if isinstance(value, str):
        if may_be_none and value.lower() in ("none", "null"):
            return None
        value = of_text(field.name, value, kind)
    if kind is bool:
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise TypeError(f"{field.name} is True or False, not {value!r}")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{field.name} is a number, not {value!r} of the type {type(value).__name__}")
    value = int(value) if isinstance(value, numbers.Integral) else float(value)  # also NumPy's
    if not math.isfinite(value):
        raise ValueError(f"{field.name} is {value!r}, and no finite number")
    if kind is int and value != int(value):
        raise ValueError(f"{field.name} is a whole number, not {value!r}")
    least, greatest = LIMITS.get(field.name, (-NO_LIMIT, NO_LIMIT))
    if not least <= value <= greatest:
        until = "or more" if greatest == NO_LIMIT else f"to {greatest:g}"
        raise ValueError(f"{field.name} is {least:g} {until}, not {value!r}")
    return int(value) if kind is int else value


def of_text(name: str, text: str, kind: type) -> Any:
    """A number or switch from its text: "2e-5", as YAML leaves it, is 2e-5; "false" is False."""
    if kind is bool:
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if text.lower() in words:
            return words[text.lower()]
        raise ValueError(f"{name} is true or false, not {text!r}")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text!r}") from None


def dict_of(name: str, value: Any) -> dict[str, Any] | None:
    """A dict argument, given as a dict, as JSON text or as the path of a JSON file."""
    if value is None or isinstance(value, dict):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} is a dict, JSON text or the path of a JSON file, not {value!r}")
    text = str(value)
    if not text.lstrip().startswith("{"):
        if not Path(text).is_file():
            raise FileNotFoundError(f"{name}={text!r} is neither JSON text nor a file that is there")
        text = Path(text).read_text(encoding="utf-8")
    try:
        loaded = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no valid JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise TypeError(f"{name} is the JSON of an object, not {text!r}")
    return loaded


def words_of(value: Any) -> list[str]:
    """A list of words, also given as one text with blanks between."""
    words = [value] if isinstance(value, str) else value or []
    return [word for text in words for word in str(text).split()]


def steps_of(name: str, value: Any) -> Any:
    """A number of steps, 1 or more and whole, or the part of all steps, between 0 and 1."""
    if value is None or value <= 0:
        strategy = name.replace("steps", "strategy")
        raise ValueError(f'{name} is more than 0, not {value!r}; for never, say {strategy}="no"')
    if value < 1:
        return value
    if value != int(value):
        raise ValueError(f"{name} is a whole number of steps, or below 1 a part of all steps, not {value!r}")
    return int(value)


def reporters(report_to: Any) -> list[str]:
    """report_to as a list of services: None and "none" are no one, "all" is whatever is installed."""
    names = [report_to] if isinstance(report_to, str) else list(report_to or [])
    if names == ["all"]:
        return [name for name, library in REPORTERS.items() if importlib.util.find_spec(library)]
    if names == ["none"]:
        return []
    for name in names:
        if name not in REPORTERS:
            raise ValueError(
                f"report_to={name!r} is not known; there are {', '.join(REPORTERS)}, 'all' and 'none'. "
                "For another service give its own callback to the Trainer: callbacks=[…]"
            )
    return names


def check_together(args: Any) -> None:
    """ValueError for arguments that contradict each other."""
    if args.fp16 and args.bf16:
        raise ValueError("fp16=True and bf16=True: choose one; bf16 is the steadier where the device has it")
    if args.fp16_full_eval and args.bf16_full_eval:
        raise ValueError("fp16_full_eval=True and bf16_full_eval=True: choose one")
    if args.dataloader_num_workers == 0 and args.dataloader_prefetch_factor is not None:
        raise ValueError(
            f"dataloader_prefetch_factor={args.dataloader_prefetch_factor} is for worker processes: "
            "say dataloader_num_workers=1 or more, or leave it out"
        )
    if args.dataloader_num_workers == 0 and args.dataloader_persistent_workers:
        raise ValueError("dataloader_persistent_workers=True needs dataloader_num_workers=1 or more")
    needs_scores = {
        f"lr_scheduler_type={args.lr_scheduler_type.value!r}": args.lr_scheduler_type
        in ("reduce_lr_on_plateau", "greedy"),
        'save_strategy="best"': args.save_strategy == "best",
        "load_best_model_at_end=True": args.load_best_model_at_end,
    }
    for argument, is_said in needs_scores.items():
        if is_said and args.eval_strategy == "no":
            raise ValueError(f'{argument} needs evaluation during training: say eval_strategy="epoch" or "steps"')
    if args.load_best_model_at_end and args.save_strategy != "best":
        check_that_the_best_is_saved(args)


def check_that_the_best_is_saved(args: Any) -> None:
    """Each evaluation that could be the best one must have a checkpoint: the same rhythm for both."""
    if args.eval_strategy != args.save_strategy:
        raise ValueError(
            "load_best_model_at_end=True needs a checkpoint at every evaluation, but "
            f"eval_strategy={args.eval_strategy.value!r} and save_strategy={args.save_strategy.value!r}; "
            'make them equal, or say save_strategy="best"'
        )
    if args.eval_strategy != "steps":
        return
    both = f"save_steps={args.save_steps} and eval_steps={args.eval_steps}"
    if (args.save_steps < 1) != (args.eval_steps < 1):
        raise ValueError(f"load_best_model_at_end=True: {both} cannot be compared, one being a part of all steps")
    times = args.save_steps / args.eval_steps
    if round(times) < 1 or not math.isclose(times, round(times), rel_tol=1e-6):
        raise ValueError(f"load_best_model_at_end=True: save_steps must be a multiple of eval_steps, but {both}")
