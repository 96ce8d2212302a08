"""What a task's settings may be called, and how long its texts may be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

NO_LIMIT = 1_000_000  # a tokenizer that knows no longest text says a number far beyond this


def check_names(task: str, given: Iterable[str], known: Iterable[str]) -> None:
    """TypeError for a setting that the task does not have, with the nearest that it has."""
    known = sorted({*known, "batch_size", "on_error", "progress"})
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise TypeError(f"{task} has no argument {name!r}: {hint}")


def check_fraction(name: str, value: Any) -> None:
    """ValueError for what is no number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; expected a number from 0 to 1")


def longest_text(model: Any, tokenizer: Any) -> int | None:
    """How many tokens a text may have: the tokenizer's limit, or the model's if that has none; None: any number."""
    limit = getattr(tokenizer, "model_max_length", None) or NO_LIMIT
    if limit < NO_LIMIT:
        return int(limit)
    positions = getattr(model.config, "max_position_embeddings", None)
    first = next((module.first_position for module in model.modules() if hasattr(module, "first_position")), 0)
    return positions - first if positions else None
