"""What `nabi train` was asked for: on the command line, in a YAML file, or in the run that it goes on with."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..messages import say
from ..options import Problem, setting

# They change where and how fast it runs, or what is left afterwards, but not what is learned.
NO_MATTER = ("device", "offline", "keep_checkpoints", "output")


@dataclass(frozen=True)
class TrainOptions:
    """All settings of a run, under the names that the command line and a YAML file share. What is None is decided by
    the task."""

    model: str = ""
    data: tuple[str, ...] = ()
    output: str = ""
    task: str | None = None
    eval: tuple[str, ...] = ()
    eval_share: float = 0.1
    column: Mapping[str, str] = field(default_factory=dict)  # role -> column
    label_names: tuple[str, ...] | None = None
    multi_label: bool = False
    regression: bool = False
    limit: int | None = None
    epochs: float = 3.0
    batch_size: int | None = None
    lr: float | None = None
    max_length: int | None = None
    max_target_length: int | None = None
    prefix: str | None = None
    pack: bool | None = None
    whole_words: bool = False
    patience: int | None = None
    seed: int = 42
    device: str | None = None
    fp16: bool = False
    bf16: bool = False
    lora: bool = False
    lora_rank: int = 8
    lora_alpha: int = 16
    teacher: str | None = None
    from_scratch: bool = False
    freeze_body: bool = False
    set: Mapping[str, Any] = field(default_factory=dict)  # TrainingArguments
    keep_checkpoints: int = 0
    offline: bool = False
    revision: str | None = None

    def plain(self) -> dict[str, Any]:
        """What is not the default, as YAML and JSON hold it."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        usual = {one.name: getattr(TrainOptions(), one.name) for one in fields(self)}
        kept = {name: value for name, value in values.items() if value != usual[name]}
        return {name: as_plain(value) for name, value in kept.items()}


def as_plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value


def as_shown(value: Any) -> Any:
    return say("train_usual") if value is None else as_plain(value)


def differences(before: Mapping[str, Any], now: TrainOptions) -> list[str]:
    """`lr was 2e-05, is 3e-05`, of all settings that decide what is learned."""
    then, usual = {**TrainOptions().__dict__, **before}, now.__dict__
    return [
        say("train_changed", name=name, before=as_shown(then[name]), now=as_shown(usual[name]))
        for name in usual
        if name not in NO_MATTER and as_plain(then[name]) != as_plain(usual[name])
    ]


# ---------------------------------------------------------------- values


def read_values(given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Values by their names, each of the type that it must have. source: where they stand, for errors."""
    known = {one.name for one in fields(TrainOptions)}
    values = {}
    for written, value in given.items():
        name = str(written).replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = say("did_you_mean", name=near[0]) if near else ""
            raise Problem(say("train_unknown_key", name=str(written), source=source, hint=hint))
        if value is not None:
            try:
                values[name] = KINDS[name](value)
            except (TypeError, ValueError) as error:
                raise Problem(say("train_bad_value", name=str(written), value=value, source=source)) from error
    return values


def yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def whole(value: Any) -> int:
    if isinstance(value, bool) or float(value) != int(value):
        raise TypeError
    return int(value)


def number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)  # YAML takes 2e-5 for a text


def text(value: Any) -> str:
    if not isinstance(value, (str, int, Path)) or isinstance(value, bool):
        raise TypeError
    return str(value)


def texts(value: Any) -> tuple[str, ...]:
    return tuple(map(text, value)) if isinstance(value, (list, tuple)) else (text(value),)


def names(value: Any) -> tuple[str, ...]:
    """A list, or names with commas between them."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return texts(value)


def settings(value: Any) -> dict[str, Any]:
    """A mapping, or texts name=value."""
    if isinstance(value, Mapping):
        return {str(name).replace("-", "_"): one for name, one in value.items()}
    return dict(map(setting, texts(value)))


def columns(value: Any) -> dict[str, str]:
    """role -> column; of texts role=column."""
    if isinstance(value, Mapping):
        return {str(role): text(column) for role, column in value.items()}
    found = {}
    for one in texts(value):
        role, equals, column = one.partition("=")
        if not equals or not role or not column:
            raise ValueError
        found[role.strip()] = column.strip()
    return found


BY_TYPE: dict[str, Callable[[Any], Any]] = {"str": text, "int": whole, "float": number, "bool": yes_or_no}
KINDS: dict[str, Callable[[Any], Any]] = {
    **{one.name: BY_TYPE.get(str(one.type).removesuffix(" | None"), texts) for one in fields(TrainOptions)},
    "label_names": names,
    "set": settings,
    "column": columns,
}


def from_yaml(file: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Problem(say("no_file", path=str(file), reason=error.strerror or error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Problem(say("train_no_yaml", path=str(file), reason=" ".join(str(error).split()))) from error
    if not isinstance(content, dict):
        raise Problem(say("train_no_yaml", path=str(file), reason=say("train_yaml_is", kind=type(content).__name__)))
    return content


def read_options(given: Mapping[str, Any], config: Path | None, before: Mapping[str, Any]) -> TrainOptions:
    """The command line goes before the YAML file, and that before the run that is to go on. Raises Problem."""
    values = dict(before)
    if config is not None:
        values |= read_values(from_yaml(config), config.name)
    values |= read_values(given, say("train_command_line"))
    options = TrainOptions(**values)
    for name in ("model", "data", "output"):
        if not getattr(options, name):
            raise Problem(say("missing", name=f"--{name}"))
    check(options)
    return options


LEAST: dict[str, float] = {
    **dict.fromkeys(("limit", "batch_size", "max_length", "max_target_length", "patience", "lora_rank"), 1),
    **dict.fromkeys(("epochs", "lr", "lora_alpha", "seed", "keep_checkpoints"), 0),
}


def check(options: TrainOptions) -> None:
    """What goes together, and what each may be."""
    for name, least in LEAST.items():
        value = getattr(options, name)
        if value is not None and value < least:
            raise Problem(say("train_too_small", name=option(name), value=value, least=least))
    if not 0 <= options.eval_share < 1:
        raise Problem(say("train_eval_share", value=options.eval_share))
    for one, other in (
        ("fp16", "bf16"),
        ("multi_label", "regression"),
        ("lora", "freeze_body"),
        ("lora", "from_scratch"),
        ("from_scratch", "freeze_body"),
        ("lora", "teacher"),
    ):
        if getattr(options, one) and getattr(options, other):
            raise Problem(say("train_not_both", one=option(one), other=option(other)))
    if options.patience is not None and not (options.eval or options.eval_share):
        raise Problem(say("train_needs_evaluation", name="--patience"))
    if "output_dir" in options.set:
        raise Problem(say("train_own_option", name="output_dir", option="--output"))


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
