"""The explanation as one HTML file: styles, script and numbers inside, nothing fetched."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import torch

from .contents import Attention, Branch, Part, plain
from .pieces import shown

if TYPE_CHECKING:
    from . import Explanation

MOST_WEIGHTS = 2_000_000  # of attention in one file, about 5 MB
FULL = 65535  # weights are written as whole numbers from 0 to this, two bytes each
SHORT = 240  # letters of JSON that stand on one line
TEMPLATE = Path(__file__).with_name("page.html")


def page(explanation: Explanation) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters.update(shown=shown, shape=lambda shape: " × ".join(map(str, shape)), line=one_line)
    room = MOST_WEIGHTS // max(1, sum(len(part.attentions) for part in explanation.parts))
    attentions = [[packed(each, room) for each in part.attentions] for part in explanation.parts]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        it=explanation,
        parts=[view_of(part, maps) for part, maps in zip(explanation.parts, attentions, strict=True)],
        data=script_safe([[{**each, "notes": None} for each in maps] for maps in attentions]),
    )


def one_line(value: Any) -> str:
    """A text as it is; other values as JSON, on one line if they are short."""
    if isinstance(value, str):
        return value
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= SHORT else json.dumps(plain(value), ensure_ascii=False, indent=1)


def script_safe(value: Any) -> str:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed(attention: Attention, room: int) -> dict[str, Any]:
    """Weights of as many pieces as there is room for, as base64 of two-byte numbers."""
    layers, heads, rows, columns = attention.weights.shape
    most = max(8, math.isqrt(room // max(1, layers * heads)))
    weights = attention.weights[:, :, :most, :most].clamp(0, 1)
    notes = [attention.left_out] if attention.left_out else []
    if max(rows, columns) > most:
        notes = [f"the first {most} pieces of {max(rows, columns)} that the explanation holds, to keep the file small"]
    whole = (weights * FULL).round().to(torch.int32).numpy().astype("<u2")
    return {
        "name": attention.name,
        "shape": list(weights.shape),
        "rows": attention.rows,
        "columns": attention.columns,
        "weights": base64.b64encode(whole.tobytes()).decode("ascii"),
        "notes": notes,
    }


def view_of(part: Part, maps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the template needs beside the part itself."""
    strengths: dict[str, list[float]] = {}
    if part.attribution:
        most = max((abs(each) for row in part.attribution.scores.values() for each in row), default=0.0) or 1.0
        strengths = {name: [each / most for each in row] for name, row in part.attribution.scores.items()}
    return {
        "part": part,
        "maps": maps,
        "strengths": strengths,
        "groups_by_place": {group.place: group for group in part.outputs.groups} if part.outputs else {},
        "tree": children_of(part.beams.branches if part.beams else []),
    }


def children_of(branches: list[Branch]) -> dict[int | None, list[Branch]]:
    """Parent's number (None: the prompt) -> what goes on from it: the text that won first, then the likeliest."""
    found: dict[int | None, list[Branch]] = {}
    for branch in branches:
        found.setdefault(branch.parent, []).append(branch)
    for each in found.values():
        each.sort(key=lambda branch: (branch.best, branch.total), reverse=True)
    return found
