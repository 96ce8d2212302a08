"""What a tokenizer's constructor is given, sorted out: vocabulary files, special tokens that are not there, sides."""

from __future__ import annotations

import copy
from typing import Any

from tokenizers import AddedToken, Tokenizer

from .special_tokens import NAMES


def take_files(owner: str, names: list[str], positional: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """Argument -> file, popped out of the arguments: by position, by name, or by v5's `vocab` and `merges`."""
    if len(positional) > len(names):
        raise TypeError(
            f"{owner} takes {len(names)} files by position ({', '.join(names) or 'none'}), but {len(positional)} were "
            "given: name the other arguments, as in tokenizer_file='…/tokenizer.json'."
        )
    files = dict(zip(names, positional, strict=False))
    for name in names:
        for key in (name, name.removesuffix("_file")):
            value = options.pop(key, None)
            if value is not None:
                files[name] = value
    return {name: file for name, file in files.items() if file is not None}


def absent_defaults(
    defaults: dict[str, Any], given: dict[str, Any], added: dict[int, AddedToken], tokenizer: Tokenizer
) -> list[str]:
    """The names of a class's default tokens that a finished tokenizer lacks and nobody gave: to be unset.

    Added behind the vocabulary they would get ids that the model has no rows for.
    """
    numbered = {token.content for token in added.values()}
    tokens = {name: str(defaults[name]) for name in NAMES if defaults.get(name) is not None and name not in given}
    return [name for name, token in tokens.items() if token not in numbered and tokenizer.token_to_id(token) is None]


def side(name: str, value: Any, default: str) -> str:
    """ "right" or "left". Raises ValueError for anything else."""
    chosen = value or default
    if chosen not in ("right", "left"):
        raise ValueError(f"{name}={chosen!r} is unknown: use 'right' or 'left'.")
    return str(chosen)


def templates(value: Any) -> str | dict[str, str] | None:
    """Chat templates by name; files hold several as a list of {"name", "template"}."""
    if isinstance(value, (list, tuple)):
        return {entry["name"]: entry["template"] for entry in value}
    return copy.copy(value)
