"""One result as lines to print: aligned text for people, JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..batch.results import fields_of, output_record

MOST_NUMBERS = 4  # of a vector, for people


def as_json(fields: Mapping[str, Any], task: str, result: Any, *, ascii_only: bool) -> str:
    """The record with its result, flat: {"text", "label", "score"}, {"text", "labels": […]}, {"text", "error"}, …"""
    return json.dumps(output_record(fields, task, result), ensure_ascii=ascii_only)


def as_text(task: str, shown: str, result: Any, width: int = 0, sentences: Sequence[str] = ()) -> str:
    """`positive  0.987  the text`, and what fits other tasks. width: of the widest label, in columns; sentences: those
    that scores are of.

    Further labels, entities, answers of the same text stand below, without it.
    """
    fields = fields_of(task, result)
    (name, value), *_ = fields.items()
    if task in ("feature-extraction", "image-feature-extraction"):
        return f"{described_vectors(value)}  {printable(shown)}"
    if task == "zero-shot-classification":
        pairs = zip(fields["labels"], fields["scores"], strict=True)
        return labelled([{"label": label, "score": score} for label, score in pairs], shown, 0)
    if "answer" in fields or name == "answers":
        answers = value if name == "answers" else [fields]
        return labelled([{**one, "label": one["answer"] or "-"} for one in answers], shown, 0)
    if "label" in fields or name == "labels":
        return labelled(value if name == "labels" else [fields], shown, width)
    if name == "entities":
        return "\n".join([printable(shown), *(entity(one) for one in value)])
    if name == "objects":
        return "\n".join([printable(shown), *(f"  {scored(one, 0)}  {box(one['box'])}" for one in value)])
    if name == "segments":
        return "\n".join([printable(shown), *map(segment, value)])
    if name == "fillings":
        masks = value if value and isinstance(value[0], list) else [value]
        rows = [f"{one['score']:.3f}  {printable(one['sequence'])}" for fillings in masks for one in fillings]
        return "\n".join(rows)
    if name == "scores":
        return "\n".join(f"{score:.3f}  {printable(text)}" for score, text in zip(value, sentences, strict=True))
    texts = [text_of(one) for one in (value if isinstance(value, list) else [fields])]
    if all(isinstance(text, str) for text in texts):
        return "\n".join(map(harmless, texts))
    return json.dumps(output_record({}, task, result), ensure_ascii=False)


def labelled(rows: list[dict[str, Any]], shown: str, width: int) -> str:
    width = max(width, label_width(row["label"] for row in rows))
    first, *others = [scored(row, width) for row in rows] or ["-"]
    return "\n".join([f"{first}  {printable(shown)}", *others])


def scored(one: dict[str, Any], width: int) -> str:
    label = printable(one["label"])
    score = f"  {one['score']:.3f}" if "score" in one else ""
    return f"{label}{' ' * (width - columns(label))}{score}"


def entity(one: Mapping[str, Any]) -> str:
    place = f"  {one['start']}-{one['end']}" if one.get("start") is not None else ""
    return (
        f"  {printable(one.get('entity_group') or one['entity'])}  {one['score']:.3f}  {printable(one['word'])}{place}"
    )


def box(corners: Mapping[str, int]) -> str:
    return f"({corners['xmin']}, {corners['ymin']}) - ({corners['xmax']}, {corners['ymax']})"


def segment(one: Mapping[str, Any]) -> str:
    """`  cat  0.987  (13, 52) - (314, 470)  21.5%`: the mask by its corners and its part of the image. Regions of a
    semantic map have no score."""
    named = {key: value for key, value in one.items() if value is not None}
    corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), one["mask"].getbbox(), strict=True))
    part = one["mask"].histogram()[255] / (one["mask"].width * one["mask"].height)
    return f"  {scored(named, 0)}  {box(corners)}  {part:.1%}"


def text_of(result: Any) -> Any:
    """The one text of a result that is a text, or a chat, whose last message it is; else None."""
    if not isinstance(result, Mapping):
        return result
    found = next((result[name] for name in result if name == "text" or name.endswith("_text")), None)
    return found[-1]["content"] if isinstance(found, list) and found and isinstance(found[-1], Mapping) else found


def described_vectors(value: Any) -> str:
    """`(1, 7, 768) [0.12, -0.30, …]`: the shape, and the first numbers."""
    shape, numbers = [], value
    while isinstance(numbers, list) and numbers and isinstance(numbers[0], list):
        shape.append(len(numbers))
        numbers = numbers[0]
    shape.append(len(numbers))
    first = ", ".join(f"{number:.3f}" for number in numbers[:MOST_NUMBERS])
    return f"({', '.join(map(str, shape))}) [{first}{', …' if len(numbers) > MOST_NUMBERS else ''}]"


def label_width(labels: Iterable[str]) -> int:
    return max((columns(printable(label)) for label in labels), default=0)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: Hangul takes two a letter."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def printable(text: str) -> str:
    """On one line, and with nothing that steers a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def harmless(text: str) -> str:
    """With its lines, and with nothing else that steers a terminal."""
    return "\n".join(map(printable, text.splitlines()))
