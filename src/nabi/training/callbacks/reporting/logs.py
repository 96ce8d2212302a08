"""Logs and settings in the shape in which dashboards take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...arguments.training_arguments import TrainingArguments


def rewrite_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """{"loss", "eval_f1", "test_f1"} -> {"train/loss", "eval/f1", "test/f1"}, the groups of a dashboard."""
    grouped = {}
    for name, value in logs.items():
        group, _, rest = name.partition("_")
        grouped[f"{group}/{rest}" if group in ("eval", "test") and rest else f"train/{name}"] = value
    return grouped


def plain_number(value: Any) -> Any:
    """A scalar of NumPy or torch as a number of Python; anything else as it is."""
    single = getattr(value, "size", None) == 1 or (hasattr(value, "numel") and value.numel() == 1)
    return value.item() if single else value


def settings_of(args: TrainingArguments, model: Any) -> dict[str, Any]:
    """The model's config and the arguments, which win where both have a name."""
    config = getattr(model, "config", None)
    config = config if config is None or isinstance(config, dict) else config.to_dict()
    return {**(config or {}), **args.to_dict()}
