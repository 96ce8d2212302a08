"""How far a long job is: a bar for people who wait, a second in, in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

_PATIENCE = 1.0  # seconds without a bar


def watched(results: Iterator[Any], total: int | None, task: str, wanted: bool | None) -> Iterator[Any]:
    """The same results, and a bar beside them if it is wanted (None: where somebody sees it)."""
    if wanted is False or (wanted is None and not (sys.stderr.isatty() or in_notebook())):
        return results
    from tqdm.auto import tqdm

    return iter(tqdm(results, total=total, desc=task, delay=0 if wanted else _PATIENCE, file=sys.stderr))


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this, which imports its module before any cell."""
    return "ipykernel" in sys.modules
