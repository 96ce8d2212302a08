"""One result as lines to print: aligned text for people, JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any


def as_json(text: str, result: Any, *, ascii_only: bool) -> str:
    """{"text", "label", "score"}, or {"text", "labels": […]} if several were asked for, or {"text", "error"}."""
    if isinstance(result, list):
        record: dict[str, Any] = {"text": text, "labels": result}
    elif isinstance(result, str):
        record = {"text": text, "error": result}
    else:
        record = {"text": text, **result}
    return json.dumps(record, ensure_ascii=ascii_only)


def as_text(text: str, result: Any, width: int) -> str:
    """`positive  0.987  the text`; further labels of the same text stand below, without it."""
    best, *others = result if isinstance(result, list) else [result]
    lines = [f"{scored(best, width)}  {printable(text)}", *(scored(other, width) for other in others)]
    return "\n".join(lines)


def scored(one: dict[str, Any], width: int) -> str:
    label = printable(one["label"])
    return f"{label}{' ' * (width - columns(label))}  {one['score']:.3f}"


def label_width(labels: Iterable[str]) -> int:
    return max((columns(printable(label)) for label in labels), default=0)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: Hangul takes two a letter."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def printable(text: str) -> str:
    """On one line, and with nothing that steers a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
