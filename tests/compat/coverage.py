"""Counts the public names of transformers 4.57.1 and 5.23.0 that nabi has, by area, and writes the page about it.

python -m tests.compat.coverage          prints the table, and what is missing
python -m tests.compat.coverage --write  writes the tables of docs/coming-from-transformers.md anew
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

import nabi
from nabi.compat import left_out
from nabi.compat.families import FAMILY_MODULES
from nabi.models import FAMILIES

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "coming-from-transformers.md"
START, END = "<!-- counted: start -->", "<!-- counted: end -->"
VERSIONS = ("4.57.1", "5.23.0")
# The areas that nabi covers: nothing may be missing there. The first pattern that a name's module matches counts.
COVERED = {
    "Pipelines": r"pipelines.*",
    "Auto classes": r"models\.auto(\..*)?",
    "Tokenizers": r"tokenization_utils.*|convert_slow_tokenizer|models\.(?P<family>\w+)\.tokenization_\w+",
    "Images and sound": (
        r"(image|feature|video|audio|processing).*|models\.(?P<family>\w+)\.(image_processing|feature|processing|video)\w+"
    ),
    "Models of the families that nabi has": r"models\.(?P<family>\w+).*",
    "Generation and caches": r"generation.*|cache_utils",
    "Training": r"trainer.*|training_args.*|optimization|data\.data_collator|hf_argparser|integrations.*|hyper.*",
    "Data sets of 2019": r"data.*",
    "Files, versions, what is installed": r".*",
}
OTHER_FAMILIES = "Families that nabi has not"
LEFT_OUT = "left out, with a reason"


def names(version: str) -> dict[str, str]:
    """Public name -> its module."""
    recorded = json.loads((HERE / "public_names.json").read_text(encoding="utf-8"))[version]
    return {name: home for home, found in recorded.items() for name in found.split()}


def has_family(folder: str) -> bool:
    return folder in FAMILIES or f"models.{folder}.modeling_{folder}" in FAMILY_MODULES


def area_of(home: str) -> str:
    for area, pattern in COVERED.items():
        if match := re.fullmatch(pattern, home):
            family = match.groupdict().get("family")
            return area if family is None or has_family(family) else OTHER_FAMILIES
    raise AssertionError(home)


@cache
def standing(name: str) -> str:
    if nabi.offers(name):
        with suppress(AttributeError):  # mappings that it has not
            getattr(nabi, name)
            return "here"
    return LEFT_OUT if left_out.why(name) else "missing"


def counted() -> dict[str, dict[str, Counter[str]]]:
    """Version -> area -> how many names stand how."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for version in VERSIONS:
        areas = found[version] = {area: Counter() for area in (*COVERED, OTHER_FAMILIES)}
        for name, home in names(version).items():
            areas[area_of(home)][standing(name)] += 1
    return found


def missing() -> dict[str, list[str]]:
    """Area -> the names that nabi should have, and has not."""
    found: dict[str, set[str]] = {area: set() for area in COVERED}
    for version in VERSIONS:
        for name, home in names(version).items():
            if (area := area_of(home)) in found and standing(name) == "missing":
                found[area].add(name)
    return {area: sorted(found[area]) for area in found}


def table() -> str:
    lines = [
        "| Area | 4.57.1: here | left out | missing | 5.23.0: here | left out | missing |",
        "|---|---|---|---|---|---|---|",
    ]
    by_version = counted()
    for area in (*COVERED, OTHER_FAMILIES):
        cells = [str(by_version[v][area][kind]) for v in VERSIONS for kind in ("here", LEFT_OUT, "missing")]
        lines.append(f"| {area} | {' | '.join(cells)} |")
    return "\n".join(lines)


def reasons() -> str:
    lines = ["| Left out | Why | What to use |", "|---|---|---|"]
    rows: dict[tuple[str, str], list[str]] = {}
    for name in sorted({name for version in VERSIONS for name in names(version)}):
        for pattern, said in left_out.NAMES.items():
            if standing(name) == LEFT_OUT and re.fullmatch(pattern, name):
                rows.setdefault(said, []).append(name)
                break
    for (why, instead), found in rows.items():
        shown = ", ".join(f"`{name}`" for name in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        lines.append(f"| {shown} | {why} | {instead.format(rest='the name without TF or Flax') or '-'} |")
    return "\n".join(lines)


def page() -> str:
    """The page with its tables counted now."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(START) + len(START)], text[text.index(END) :]
    not_here = [f"- {area}: {', '.join(f'`{name}`' for name in found)}" for area, found in missing().items() if found]
    parts = [table(), "### Left out on purpose", reasons(), "### Missing", "\n".join(not_here) or "Nothing."]
    return f"{before}\n" + "\n\n".join(parts) + f"\n{after}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    print(table())
    for area, found in missing().items():
        print(f"\n{area}: {len(found)} missing: {' '.join(found)}")
