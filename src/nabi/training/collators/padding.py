"""Examples of several lengths: the tokenizer pads them to the batch's longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import LABELS
from .examples import as_examples, check_column, check_list, check_numbers, checked_kind


@dataclass
class DataCollatorWithPadding:
    """Pad ids, attention mask and token types; `label` and `label_ids` become `labels`.

    tokenizer: whatever has pad(): a tokenizer, feature extractor or processor.
    padding: True or "longest", "max_length" (with max_length), False or "do_not_pad".
    return_tensors: "pt" or "np". Labels of tokens want DataCollatorForTokenClassification instead.
    """

    tokenizer: Any
    padding: Any = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"

    def __call__(self, features: Sequence[Any] | Mapping[str, Any]) -> Any:
        """n examples -> input_ids, attention_mask, … (n, length) and labels (n,) or (n, labels).

        A slice of a data set, which is a dict of columns, does as well.
        """
        examples = as_examples(rows_of(features, main_input(self.tokenizer)))
        check_label_sizes(examples)
        batch = pad(
            self.tokenizer, examples, self.return_tensors, self.padding, self.max_length, self.pad_to_multiple_of
        )
        for name in ("label", "label_ids"):
            if name in batch:
                batch["labels"] = batch.pop(name)
        return batch


def main_input(tokenizer: Any) -> str:
    return str(getattr(tokenizer, "model_input_names", ["input_ids"])[0])


def rows_of(features: Any, main: str) -> Any:
    """{"input_ids": [[…], […]], "label": [0, 1]} as one dict for each row; what is no dict of columns as it is.

    main: the column that tells columns from one example. Raises ValueError if columns differ in length.
    """
    column: Any = features.get(main) if isinstance(features, Mapping) else None
    if not hasattr(column, "__len__") or len(column) == 0 or not hasattr(column[0], "__len__"):
        return features
    lengths = {name: len(values) for name, values in features.items() if hasattr(values, "__len__")}
    if len(lengths) < len(features) or len(set(lengths.values())) != 1:
        shown = ", ".join(f"{name} {lengths.get(name, 'one value')}" for name in features)
        raise ValueError(f"the columns of a batch differ in length ({shown}): pass a list of examples")
    return [dict(zip(features, row, strict=True)) for row in zip(*features.values(), strict=True)]


def pad(
    tokenizer: Any,
    examples: list[dict[str, Any]],
    return_tensors: str,
    padding: Any = True,
    max_length: int | None = None,
    multiple: int | None = None,
) -> Any:
    """tokenizer.pad of examples that are checked first: a column of no numbers is a ValueError that names it.

    Examples of one length need no padding token (a GPT-2 on blocks of text has none).
    """
    kind = checked_kind(return_tensors)
    main = main_input(tokenizer)
    check_column(main, examples[0])
    check_numbers(examples[0])
    if fits_already([one[main] for one in examples], padding, multiple or 1):
        padding = False
    settings = {"max_length": max_length, "pad_to_multiple_of": multiple} if padding else {}
    return tokenizer.pad(examples, padding=padding, return_tensors=kind, **settings)


def fits_already(rows: list[Any], padding: Any, multiple: int) -> bool:
    """Whether padding to the longest adds nothing."""
    size = len(rows[0])
    longest = getattr(padding, "value", padding) in (True, "longest")
    return longest and size % multiple == 0 and all(len(row) == size for row in rows)


def check_label_sizes(examples: list[dict[str, Any]]) -> None:
    for name in LABELS:
        values = [one[name] for one in examples if name in one]
        sizes = sorted(
            {len(value) for value in values if isinstance(value, (list, tuple)) or bool(getattr(value, "ndim", False))}
        )
        if len(sizes) > 1:
            raise ValueError(
                f"{name!r} has {sizes[0]} to {sizes[-1]} values per example, and DataCollatorWithPadding pads no "
                "labels: use DataCollatorForTokenClassification(tokenizer) for labels of tokens, or "
                "DataCollatorForSeq2Seq(tokenizer) for those of a text to be written"
            )


def as_input_examples(features: Sequence[Any]) -> list[dict[str, Any]]:
    """as_examples, for collators that take bare rows of ids too (lists, arrays or tensors)."""
    check_list(features)
    rows = isinstance(features[0], (list, tuple)) or hasattr(features[0], "ndim")
    return [{"input_ids": row} for row in features] if rows else as_examples(features)
