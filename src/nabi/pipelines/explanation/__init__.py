"""A look inside: what happens to one item in a pipeline, with the real values of each stage.

    text -> pieces, ids, mask -> embeddings, blocks, head: shapes -> logits -> probabilities -> the pipeline's result

`explain` runs the pipeline once as it is, watching, and then asks the model what its answer rests on.
"""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .attribution import METHODS
from .contents import Part, plain
from .gather import parts_of
from .watch import watch

__all__ = ["METHODS", "Explanation", "explain"]


@dataclass
class Explanation:
    """What `pipe.explain(item)` returns. print(it) shows it as text, `it.print()` in colour; a notebook shows the page,
    and `it.save("why.html")` writes that as one file that needs no network."""

    task: str
    model: str
    checkpoint: str
    input: Any
    result: Any
    parts: list[Part]

    def to_dict(self) -> dict[str, Any]:
        """Everything as dictionaries, lists, numbers and texts."""
        made: dict[str, Any] = plain(self)
        return made

    def to_json(self, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def print(self) -> None:
        from rich.console import Console

        Console().print(self)

    def __rich__(self) -> Any:
        from .terminal import rendered

        return rendered(self)

    def __str__(self) -> str:
        from .terminal import as_text

        return as_text(self)

    def __repr__(self) -> str:
        return f"Explanation(task={self.task!r}, model={self.model!r}, result={self.result!r})"

    def to_html(self) -> str:
        """The whole page."""
        from .page import page

        return page(self)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that a notebook's styles and the page's leave each other alone."""
        inside = html.escape(self.to_html(), quote=True)
        style = "width:100%;height:640px;border:1px solid #8884;border-radius:8px"
        return f'<iframe srcdoc="{inside}" sandbox="allow-scripts" style="{style}"></iframe>'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, or with a name that ends in .json the data, and return where."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.to_json() if file.suffix == ".json" else self.to_html(), encoding="utf-8")
        return file


def explain(
    pipe: Any,
    *inputs: Any,
    method: Literal["integrated_gradients", "input_x_gradient"] | None = "integrated_gradients",
    steps: int | None = None,
    target: Any = None,
    position: int | None = None,
    alternatives: int = 5,
    **settings: Any,
) -> Explanation:
    """What happens to one item. `inputs` and `settings` are those of the pipeline's call.

    method: how each token's part in the answer is measured; None: not at all, which is quickest. steps: how many
    points integrated gradients look at; None: as many as it takes. target: the label or token to explain in the
    likeliest one's place; position: where, of a task that answers at several places. alternatives: how many scores
    are listed where there are many.
    """
    if method not in (*METHODS, None):
        raise ValueError(f"method is {method!r}; expected {', '.join(map(repr, METHODS))} or None")
    for name, value in (("steps", 1 if steps is None else steps), ("alternatives", alternatives)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; expected a whole number of 1 or more")
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) and not pipe.is_one(inputs[0]):
        raise ValueError(f"explain takes one item, and got {len(inputs[0])} of them: explain each by itself")
    training = pipe.model.training
    pipe.model.eval()
    try:
        seen = watch(pipe, inputs, settings)
        own = {"method": method, "steps": steps, "target": target, "position": position, "count": alternatives}
        parts = parts_of(pipe, seen, own)
    finally:
        pipe.model.train(training)
    return Explanation(
        task=pipe.task,
        model=type(pipe.model).__name__,
        checkpoint=str(getattr(pipe.model.config, "_name_or_path", "") or ""),
        input=shown_input(inputs, settings),
        result=seen.result,
        parts=parts,
    )


def shown_input(inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """What was given, as plain data; of pictures and sounds what they are."""
    named = {name: value for name, value in settings.items() if isinstance(value, (str, list))}
    given = [each if isinstance(each, (str, dict, list)) else f"{type(each).__name__}" for each in inputs]
    return given[0] if len(given) == 1 and not named else {**({"input": given[0]} if given else {}), **named}
