"""What callers pass in: one item or many, read without haste, and errors that say which item it was."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor


def is_one_item(inputs: Any) -> bool:
    """Whether this is one item of a task and not a source of many."""
    if isinstance(inputs, (str, bytes, Mapping, Tensor)):
        return True
    return not (isinstance(inputs, Iterable) or hasattr(inputs, "__getitem__"))


def read(inputs: Any) -> Iterator[Any]:
    """The items of an iterable, or of a map-style dataset, which has only a length and items by number."""
    if isinstance(inputs, Iterable):
        return iter(inputs)
    return (inputs[i] for i in range(len(inputs)))


def take(source: Iterator[Any], count: int) -> tuple[list[Any], Exception | None]:
    """Up to `count` items, and the error that ended the source early: what came before it is not lost."""
    items: list[Any] = []
    try:
        items.extend(itertools.islice(source, count))
    except Exception as error:
        return items, error
    return items, None


def without_marks(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part without what says that it is the last one, as pipelines of older code yield them."""
    return {name: value for name, value in part.items() if name != "is_last"}


def numbered(error: Exception, number: int) -> Exception:
    """The error of item `number` of many, as one to raise or to hand out."""
    said = (TypeError if isinstance(error, TypeError) else ValueError)(f"input {number}: {error}")
    said.__cause__ = error
    return said


def raise_first(results: list[Any]) -> None:
    for result in results:
        if isinstance(result, Exception):
            raise result


def checked_batch_size(size: int | None) -> int | None:
    if size is None or (isinstance(size, int) and size >= 1):
        return size
    raise ValueError(f"batch_size is {size!r}; expected a number of 1 or more, or None")
