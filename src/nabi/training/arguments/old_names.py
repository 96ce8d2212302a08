"""Names of training arguments that v4 and earlier had, and what each means today: one table, OLD_NAMES.

An old name works wherever a new one does: in the call, on the command line, in a file, and as an attribute of the
arguments, for reading and for setting.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, MutableMapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from .checks import words_of

logger = logging.getLogger(__name__)

New = MutableMapping[str, Any]  # arguments by their names of today


class Old(NamedTuple):
    """An old name. Its default, if given, says nothing; any other value is written into the new arguments."""

    kind: type
    default: Any
    write: Callable[[Any, New], None]
    read: Callable[[Any], Any]  # the arguments -> what the old attribute shows
    no_effect: str = ""  # why it has none
    is_name_alone: bool = False  # the same value under a new name, so that setting the default by hand says something


def renamed(new: str, kind: type = str, default: Any = None) -> Old:
    def write(value: Any, arguments: New) -> None:
        arguments[new] = value

    return Old(kind, default, write, lambda args: getattr(args, new), is_name_alone=True)


def switch(new: str, word: str) -> Old:
    """A flag of old that today is one word of a choice."""

    def write(value: Any, arguments: New) -> None:
        arguments[new] = word

    return Old(bool, False, write, lambda args: getattr(args, new) == word)


def inside(new: str, key: str, kind: type, default: Any) -> Old:
    """An argument of old that today is a key of a dict argument."""

    def write(value: Any, arguments: New) -> None:
        config = arguments.get(new)
        if isinstance(config, str):
            raise TypeError(f"{new} is the file or text {config!r}: write {key} into it")
        if config is not None and not isinstance(config, dict):
            setattr(config, key, value)
        else:
            arguments[new] = {**(config or {}), key: value}

    def read(args: Any) -> Any:
        config = getattr(args, new)
        return (config or {}).get(key, default) if config is None or isinstance(config, dict) else getattr(config, key)

    return Old(kind, default, write, read)


def listed(new: str, word: str) -> Old:
    """A flag of old that today is a word in a list."""

    def write(value: Any, arguments: New) -> None:
        words = words_of(arguments.get(new))
        arguments[new] = [*words, *([] if word in words else [word])]

    return Old(bool, False, write, lambda args: word in getattr(args, new))


def gone(kind: type, default: Any, why: str) -> Old:
    """What changes no result today: taken, with a warning once."""
    return Old(kind, default, lambda value, arguments: None, lambda args: default, no_effect=why)


def refused(kind: type, default: Any, remedy: str) -> Old:
    """What cannot be left out without changing what is trained."""

    def write(value: Any, arguments: New) -> None:
        raise ValueError(f"{value!r} cannot be had any more: {remedy}")

    return Old(kind, default, write, lambda args: default)


def precision_backend() -> Old:
    def write(value: Any, arguments: New) -> None:
        if value not in ("amp", "cuda_amp", "cpu_amp"):
            raise ValueError(f"{value!r} is not possible: half precision is torch's own; leave it out, say fp16=True")

    return Old(str, "auto", write, lambda args: "auto")


def hub_organization() -> Old:
    def write(value: Any, arguments: New) -> None:
        name = arguments.get("hub_model_id") or Path(arguments.get("output_dir") or "trainer_output").name
        arguments["hub_model_id"] = f"{value}/{name.split('/')[-1]}"

    return Old(
        str, None, write, lambda args: args.hub_model_id.split("/")[0] if "/" in (args.hub_model_id or "") else None
    )


# The order matters where two old names make one new value: the model's name before its organization.
OLD_NAMES: dict[str, Old] = {
    "evaluation_strategy": renamed("eval_strategy", default="no"),
    "evaluate_during_training": switch("eval_strategy", "steps"),
    "no_cuda": renamed("use_cpu", bool, False),
    "gradient_checkpointing": renamed("activation_checkpointing", bool),
    "gradient_checkpointing_kwargs": renamed("activation_checkpointing_kwargs", dict),
    "per_gpu_train_batch_size": renamed("per_device_train_batch_size", int),
    "per_gpu_eval_batch_size": renamed("per_device_eval_batch_size", int),
    "group_by_length": switch("train_sampling_strategy", "group_by_length"),
    "adafactor": switch("optim", "adafactor"),
    "push_to_hub_token": renamed("hub_token"),
    "push_to_hub_model_id": renamed("hub_model_id"),
    "push_to_hub_organization": hub_organization(),
    "include_inputs_for_metrics": listed("include_for_metrics", "inputs"),
    "include_tokens_per_second": switch("include_num_input_tokens_seen", "all"),
    "tpu_metrics_debug": listed("debug", "tpu_metrics_debug"),
    "dispatch_batches": inside("accelerator_config", "dispatch_batches", bool, None),
    "split_batches": inside("accelerator_config", "split_batches", bool, False),
    "fsdp_min_num_params": inside("fsdp_config", "min_num_params", int, 0),
    "fsdp_transformer_layer_cls_to_wrap": inside("fsdp_config", "transformer_layer_cls_to_wrap", str, None),
    "torchdynamo": renamed("torch_compile_backend"),
    "xpu_backend": renamed("ddp_backend"),
    "half_precision_backend": precision_backend(),
    "fp16_backend": precision_backend(),
    "fp16_opt_level": gone(str, "O1", "it was a level of apex; half precision is torch's own"),
    "save_safetensors": gone(bool, True, "weights are always saved as safetensors"),
    "use_mps_device": gone(bool, False, "an Apple device is used when there is one"),
    "use_ipex": gone(bool, False, "Intel's extension has ended; torch has its speed"),
    "jit_mode_eval": gone(bool, False, "evaluation is not traced; torch_compile=True makes it faster"),
    "use_legacy_prediction_loop": gone(bool, False, "there is one evaluation loop"),
    "mp_parameters": gone(str, "", "it spoke to SageMaker's own launcher"),
    "ray_scope": gone(str, "last", "give it to hyperparameter_search(scope=...)"),
    "tpu_num_cores": gone(int, None, "the launcher says how many processes there are"),
    "past_index": refused(int, -1, "write the use of past states into compute_loss of your Trainer"),
    "sharded_ddp": refused(str, "", 'fairscale has ended; say fsdp="full_shard"'),
}


class TakesOldNames(type):
    """The class of the arguments' classes, so that subclasses which are dataclasses take old names as well.

    An unknown name is a TypeError that names the nearest known ones, new and old.
    """

    def __call__(cls, *values: Any, **named: Any) -> Any:
        if "__init__" in vars(cls) and "__dataclass_fields__" not in vars(cls):
            return super().__call__(*values, **named)  # a constructor written by hand knows what it takes
        defaults = {name: field.default for name, field in cls.__dataclass_fields__.items()}  # type: ignore[attr-defined]
        if len(values) > len(defaults):
            raise TypeError(f"{cls.__name__} takes {len(defaults)} arguments, but {len(values)} are given")
        for name, value in zip(defaults, values, strict=False):
            if name in named:
                raise TypeError(f"{name} is given twice: as {value!r} and as {named[name]!r}")
            named[name] = value
        return super().__call__(**of_today(cls, named, defaults))

    @property
    def __signature__(cls) -> inspect.Signature:
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]
        return whole.replace(parameters=list(whole.parameters.values())[1:])


def of_today(owner: Any, named: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Arguments under new and old names -> the same under new names only. defaults: the known new names."""
    unknown = [name for name in named if name not in defaults]
    if not unknown:
        return named
    for name in unknown:
        if name not in OLD_NAMES:
            near = get_close_matches(name, [*defaults, *OLD_NAMES], n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            wider = next((one for one in owner.__subclasses__() if name in one.__dataclass_fields__), None)
            if wider is not None:
                hint = f": it is one of {wider.__name__}"
            raise TypeError(f"{owner.__name__} has no argument {name!r}{hint}")
    new = {name: value for name, value in named.items() if name in defaults}
    for name in (name for name in OLD_NAMES if name in unknown):
        before = dict(new)
        write_old(name, named[name], new)
        for key, value in before.items():
            said = key in named and named[key] is not None and value != defaults[key]
            if said and new[key] != value and not isinstance(new[key], (list, dict)):
                raise TypeError(
                    f"{name}={named[name]!r} and {key}={value!r} contradict each other: {name} is the old name of {key}"
                )
    return new


def write_old(name: str, value: Any, new: New, by_hand: bool = False) -> None:
    """Puts into the arguments `new` what an old one says; its default and None say nothing, unless set by hand."""
    old = OLD_NAMES[name]
    if old.kind is bool and isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
    if (value is None or value == old.default) and not (by_hand and old.is_name_alone and old.default is not None):
        return
    if old.kind is bool and not isinstance(value, bool):
        raise TypeError(f"{name} is True or False, not {value!r}")
    try:
        old.write(value, new)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if old.no_effect:
        warn_once(f"{name}={value!r} has no effect: {old.no_effect}")


@functools.cache
def warn_once(message: str) -> None:
    logger.warning(message)
