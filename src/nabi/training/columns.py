"""Which columns of a data set are a model's inputs and which its labels."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .batches import Collator, is_map_style

LABELS = ("label", "label_ids", "labels")  # collators make "labels" of each


def unwrapped(model: Any) -> Any:
    """The model inside an adapter of peft, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def accepted_columns(model: Any) -> set[str] | None:
    """The names that the model's forward takes; None if it takes any."""
    model = unwrapped(model)
    if hasattr(model, "_arguments"):
        found: set[str] = model._arguments()
        return found
    parameters = inspect.signature(model.forward).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return None
    return set(parameters)


def label_names(model: Any) -> list[str]:
    """The arguments of the model that hold what it should answer, by HF's rule: "label" is in their names."""
    accepted = accepted_columns(model)
    if accepted is None:
        return ["labels"]
    if {"start_positions", "end_positions"} <= accepted:
        return ["start_positions", "end_positions"]
    return sorted(name for name in accepted if "label" in name and name != "num_labels") or ["labels"]


def without_unused(dataset: Any, accepted: set[str], also: set[str], what: str) -> Any:
    """A datasets.Dataset without the columns that the model does not take, so that they are not read; others as is."""
    names = getattr(dataset, "column_names", None)
    if not isinstance(names, list) or not hasattr(dataset, "remove_columns"):
        return dataset
    if not accepted & set(names):
        raise ValueError(nothing_left(names, accepted, what))
    unused = [name for name in names if name not in {*accepted, *LABELS, *also}]
    return dataset.remove_columns(unused) if unused else dataset


class KeepColumns:
    """A collator that sees only the columns that the model takes.

    Raises ValueError at the first batch of which nothing is left.
    """

    def __init__(self, collate: Collator, accepted: set[str], what: str) -> None:
        self.collate, self.accepted, self.what = collate, accepted, what

    def __call__(self, examples: list[Any]) -> Any:
        return self.collate([self._kept(example) for example in examples])

    def _kept(self, example: Any) -> Any:
        if not isinstance(example, Mapping):
            return example
        kept = {name: value for name, value in example.items() if name in self.accepted}
        if not any(name not in LABELS for name in kept):
            raise ValueError(nothing_left(list(example), self.accepted, self.what))
        return kept


def columns_of(dataset: Any) -> list[str]:
    """The names of a data set's columns, where they can be told without going through it."""
    names = getattr(dataset, "column_names", None)
    if names is None and is_map_style(dataset):
        first = dataset[0]
        names = list(first) if isinstance(first, Mapping) else None
    return names if isinstance(names, list) else []


def nothing_left(columns: list[str], accepted: set[str], what: str) -> str:
    texts = [name for name in columns if name in ("text", "document", "sentence", "review", "content")]
    remedy = (
        f"tokenize the texts first, as in dataset.map(lambda rows: tokenizer(rows[{texts[0]!r}], truncation=True), "
        "batched=True)"
        if texts
        else "rename the columns, or pass remove_unused_columns=False if your data_collator makes inputs of them"
    )
    return (
        f"the {what} has the columns {', '.join(columns)}, none of which is an input of the model (it takes "
        f"{', '.join(sorted(accepted)[:12])}…): {remedy}"
    )


def lengths_of(dataset: Any, column: str) -> list[int]:
    """How long each example is: the column of that name, or the number of its input_ids (input_values, …)."""
    names = getattr(dataset, "column_names", None) or getattr(dataset, "columns", None)
    if isinstance(names, (list, tuple)) and column in names:
        return [int(length) for length in dataset[column]]
    return [_length(dataset[row], column, row) for row in range(len(dataset))]


def _length(example: Any, column: str, row: int) -> int:
    if isinstance(example, Mapping):
        if column in example:
            return int(example[column])
        for name in ("input_ids", "input_values", "input_features"):
            if name in example:
                return len(example[name])
    raise ValueError(
        f"grouping by length needs the lengths, but example {row} has neither {column!r} nor input_ids: add a column "
        f"{column!r} with them, or leave group_by_length out"
    )
