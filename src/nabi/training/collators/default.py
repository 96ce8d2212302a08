"""The plainest collator: examples that have one length already are stacked, key by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...tokenization.tensors import as_tensor
from .examples import DataCollatorMixin, as_examples, check_column, check_numbers, checked_kind


def default_data_collator(features: Sequence[Any], return_tensors: str = "pt") -> dict[str, Any]:
    """Stack each key's values: n examples of (…) -> (n, …). Texts and keys that are None are left out.

    `label` (a number each) and `label_ids` (a list each) become `labels`, int64 for whole numbers, else float32.
    Examples are dicts or objects with attributes. ValueError, naming the key, if lengths differ.
    """
    kind = checked_kind(return_tensors)
    examples = as_examples(features)
    named = next((name for name in ("label", "label_ids") if name in examples[0]), None)
    if named is not None:
        check_numbers({named: examples[0][named]})
    batch = {} if named is None else {"labels": label_tensor(named, [one[named] for one in examples], kind)}
    for key, first in examples[0].items():
        if key not in ("label", "label_ids") and not isinstance(first, str):
            check_numbers({key: first})
            batch[key] = stacked(key, [one[key] for one in examples], kind)
    if not batch:
        check_column("input_ids", {})
    return batch


@dataclass
class DefaultDataCollator(DataCollatorMixin):
    """default_data_collator as an object, with return_tensors ("pt" or "np") chosen when it is made."""

    return_tensors: str = "pt"

    def torch_call(self, features: Sequence[Any]) -> dict[str, Any]:
        return default_data_collator(features, "pt")

    def numpy_call(self, features: Sequence[Any]) -> dict[str, Any]:
        return default_data_collator(features, "np")


def label_tensor(key: str, values: list[Any], kind: str) -> Any:
    """Whole numbers as int64, else float32; a list under `label` is one of several labels at once, so float32 too."""
    labels = stacked(key, values, kind)
    if key == "label_ids" and isinstance(values[0], Tensor):
        return labels
    several = key == "label" and labels.ndim > 1
    if kind == "pt":
        return labels.to(torch.float if several or labels.is_floating_point() else torch.long)
    return labels.astype(np.float32 if several or labels.dtype.kind == "f" else np.int64)


def stacked(key: str, values: list[Any], kind: str) -> Any:
    """Values of one shape to a tensor or an array (n, …); ValueError, with lengths and a remedy, if shapes differ."""
    try:
        if kind == "np":
            return np.stack([np.asarray(value) for value in values])
        return as_tensor(key, values, "pt")
    except (ValueError, TypeError) as error:
        raise unlike(key, values, error) from error


def unlike(key: str, values: list[Any], error: Exception) -> ValueError:
    sizes = sorted({len(value) for value in values if hasattr(value, "__len__")})
    if len(sizes) < 2:
        return ValueError(f"the values of {key!r} cannot be stacked ({error}): give every example the same shape")
    if key in ("label_ids", "labels"):
        remedy = (
            "DataCollatorForTokenClassification(tokenizer) pads labels of tokens, DataCollatorForSeq2Seq(tokenizer) "
            "those of a text to be written"
        )
    else:
        remedy = "DataCollatorWithPadding(tokenizer) pads them; or tokenize with padding='max_length', truncation=True"
    return ValueError(
        f"{key!r} has {sizes[0]} to {sizes[-1]} values per example, and this collator pads nothing: {remedy}"
    )
