"""`nabi explain TASK TEXT`: a look inside at what happens to a text - in the terminal, and as a page with --html."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import say
from .options import Options, Problem
from .run import check_model, check_task, items_of, make_pipeline, source_of

METHODS = {"integrated-gradients": "integrated_gradients", "input-x-gradient": "input_x_gradient", "none": None}


@dataclass(frozen=True)
class Look:
    """What to look at, in the words of the command."""

    method: str = "integrated-gradients"
    target: str | None = None
    position: int | None = None
    alternatives: int | None = None
    html: Path | None = None
    json: bool = False

    def settings(self) -> dict[str, Any]:
        """As `pipe.explain` takes them."""
        given = {"target": self.target, "position": self.position, "alternatives": self.alternatives}
        return {"method": METHODS[self.method], **{name: value for name, value in given.items() if value is not None}}


def is_task(name: str) -> bool:
    """Whether a NAME means a task; a folder of that name goes before it."""
    from ..pipelines.tasks import find_task

    if os.path.isdir(name):
        return False
    try:
        find_task(name)
    except KeyError:
        return False
    return True


def explain_texts(task: str, texts: list[str], options: Options, look: Look) -> None:
    """Print what happens to each item that the texts make, and write the page of the one there is."""
    from ..data.records import Record

    check_task(task)
    if look.method not in METHODS:
        raise Problem(say("unknown_method", name=look.method, known=", ".join(METHODS)))
    if not texts:
        raise Problem(say("explain_what", task=task))
    items = items_of(task, options)
    if options.model is not None:
        check_model(options.model)
    with source_of(texts, None, items) as (source, _, _):
        lines = list(source)
    if look.html is not None and len(lines) > 1:
        raise Problem(say("page_of_one", count=len(lines)))
    pipe = make_pipeline(task, options)
    for number, line in enumerate(lines):
        if line.problem or line.is_blank:
            raise Problem(f"{line.place}: {line.problem or say('empty_text')}", code=1)
        item = items.item_of(Record(line.fields or {items.main_part: line.text}, number, line.problem))
        explanation = pipe.explain(item, **look.settings())
        if look.json:
            print(explanation.to_json())
        else:
            explanation.print()
        if look.html is not None:
            print(say("page_written", path=save(explanation, look.html)))


def save(explanation: Any, path: Path) -> Path:
    try:
        found: Path = explanation.save(path)
    except OSError as error:
        raise Problem(say("no_page", path=str(path), reason=error.strerror or error), code=1) from error
    return found
