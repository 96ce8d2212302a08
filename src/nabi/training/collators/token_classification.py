"""A label for every token: the labels are padded beside the ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .examples import DataCollatorMixin, as_examples, check_column, check_numbers, padded
from .padding import pad


@dataclass
class DataCollatorForTokenClassification(DataCollatorMixin):
    """Pad inputs as DataCollatorWithPadding does, and labels (one per token) with label_pad_token_id.

    padding, max_length, pad_to_multiple_of, return_tensors: as there.
    """

    tokenizer: Any
    padding: Any = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = -100
    return_tensors: str = "pt"

    def torch_call(self, features: Sequence[Any]) -> Any:
        """input_ids, … and labels, each (n, length). ValueError if an example has more or fewer labels than tokens."""
        examples = as_examples(features)
        name = next((name for name in ("label", "labels", "label_ids") if name in examples[0]), None)
        labels = [] if name is None else [one.pop(name) for one in examples]
        for index, (row, one) in enumerate(zip(labels, examples, strict=False)):
            check_numbers({str(name): row})
            check_column("input_ids", one)
            if not hasattr(row, "__len__"):
                raise ValueError(
                    f"example {index} of the batch has the one label {row}, where each token wants its own: for a "
                    "label of the whole text use DataCollatorWithPadding"
                )
            if len(row) != len(one["input_ids"]):
                raise ValueError(
                    f"example {index} of the batch has {len(row)} labels for {len(one['input_ids'])} tokens: align "
                    "them first, with -100 for special tokens and for all but a word's first piece (see word_ids())"
                )
        batch = pad(self.tokenizer, examples, "pt", self.padding, self.max_length, self.pad_to_multiple_of)
        if labels:
            length = batch["input_ids"].shape[1]
            side = getattr(self.tokenizer, "padding_side", "right")
            batch["labels"] = padded("labels", labels, self.label_pad_token_id, length=length, side=side).to(torch.long)
        return batch
