"""What every collator does first: examples of any kind to dicts with the same keys, and rows to one rectangle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class DataCollatorMixin:
    """Called with a list of examples, it runs torch_call (return_tensors "pt") or numpy_call ("np").

    A subclass writes torch_call; numpy_call hands out the same numbers as arrays.
    """

    return_tensors: str = "pt"

    def __call__(self, features: Sequence[Any], return_tensors: str | None = None) -> Any:
        kind = checked_kind(self.return_tensors if return_tensors is None else return_tensors)
        return self.torch_call(features) if kind == "pt" else self.numpy_call(features)

    def torch_call(self, features: Sequence[Any]) -> Any:
        raise TypeError(f"{type(self).__name__} has no torch_call(features): write one that returns a batch")

    def numpy_call(self, features: Sequence[Any]) -> Any:
        return as_arrays(self.torch_call(features))


def checked_kind(return_tensors: Any) -> str:
    if return_tensors not in ("pt", "np"):
        raise ValueError(f"return_tensors is {return_tensors!r}; a collator makes 'pt' (PyTorch) or 'np' (NumPy)")
    return return_tensors


def as_arrays(batch: Any) -> Any:
    """The batch with NumPy arrays in place of tensors."""
    for key, value in batch.items():
        if isinstance(value, Tensor):
            batch[key] = value.numpy()
    return batch


def as_examples(features: Sequence[Any]) -> list[dict[str, Any]]:
    """Mappings, or objects with attributes, to dicts of the same keys; what is None in all of them is left out.

    ValueError if there is no example, or if a key is missing in some of them.
    """
    check_list(features)
    examples = [dict(one) if isinstance(one, Mapping) else attributes(one) for one in features]
    keys = {key: None for example in examples for key in example}
    for key in keys:
        without = [index for index, example in enumerate(examples) if example.get(key) is None]
        if len(without) == len(examples):
            for example in examples:
                example.pop(key, None)
        elif without:
            having = next(index for index in range(len(examples)) if index not in without)
            raise ValueError(
                f"example {without[0]} of the batch has no {key!r}, but example {having} has: give it to all examples "
                "or to none"
            )
    return examples


def check_list(features: Any) -> None:
    if isinstance(features, (Mapping, str)):
        raise TypeError(f"a collator takes a list of examples, not one {type(features).__name__}: pass [example]")
    if len(features) == 0:
        raise ValueError("a collator was given no example: there is no batch of none")


def attributes(one: Any) -> dict[str, Any]:
    if not hasattr(one, "__dict__"):
        raise TypeError(
            f"an example is a {type(one).__name__} ({str(one)[:60]}); a collator takes dicts such as "
            "{'input_ids': …, 'labels': …}, as the tokenizer returns them"
        )
    return dict(vars(one))


def check_column(name: str, example: dict[str, Any]) -> None:
    if name not in example:
        raise ValueError(
            f"the examples have no {name!r}, only {', '.join(example) or 'texts'}: tokenize them first, as in "
            "dataset.map(lambda rows: tokenizer(rows['text'], truncation=True), batched=True)"
        )


def check_numbers(example: dict[str, Any]) -> None:
    """ValueError for a column that no tensor can hold, looking at one example."""
    for key, value in example.items():
        found = no_number(value)
        if found is None:
            continue
        if "label" in key:
            remedy = "make numbers of it first: model.config.label2id[…] of a label, tokenizer(text_target=…) of a text"
        elif key == "input_ids":
            remedy = "it wants the ids that tokenizer(text) returns"
        else:
            remedy = f"take it out with dataset.remove_columns([{key!r}])"
        raise ValueError(f"the column {key!r} holds {found}, which no tensor can hold: {remedy}")


def no_number(value: Any) -> str | None:
    """What a value is if it is neither a number nor numbers in lists or arrays; else None."""
    while isinstance(value, (list, tuple)):
        if not value:
            return None
        value = value[0]
    if isinstance(value, (Tensor, bool, int, float, np.number, np.bool_)):
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return None
    if isinstance(value, str):
        return f"text ({value[:40]!r})"
    return "None" if value is None else f"{type(value).__name__} objects"


def padded(name: str, rows: Sequence[Any], fill: Any, *, length: int | None = None, side: str = "right") -> Tensor:
    """Rows of numbers (lists, arrays or tensors, each (n, …)) to one tensor (rows, length, …).

    length: None for the longest row's. ValueError, naming `name` and the row, if one is longer. Integers come
    back as int64, floats as torch's default dtype.
    """
    flat, sizes = joined(rows)
    longest = int(sizes.max())
    length = longest if length is None else length
    if longest > length:
        raise ValueError(
            f"{name!r} of example {int(sizes.argmax())} has {longest} values, more than the {length} to pad to: "
            "truncate it, or pad to a greater length"
        )
    out = flat.new_full((len(sizes), length, *flat.shape[1:]), fill)
    places = torch.arange(length)
    held = places < sizes[:, None] if side == "right" else places >= length - sizes[:, None]
    out[held] = flat
    return out


def joined(rows: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """Rows of numbers, each (n, …), one after another (all n, …), and the n of each; dtypes as of `padded`."""
    tensors = [row if isinstance(row, Tensor) else torch.as_tensor(np.asarray(row)) for row in rows]
    flat = torch.cat([row for row in tensors if len(row)] or tensors)
    sizes = torch.tensor([len(row) for row in tensors])
    return flat.to(torch.get_default_dtype() if flat.is_floating_point() else torch.long), sizes
