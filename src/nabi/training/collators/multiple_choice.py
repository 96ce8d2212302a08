"""Several texts per example, of which one fits: all of a batch's texts are padded to one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .examples import DataCollatorMixin, as_examples, check_column, check_numbers
from .padding import pad


@dataclass
class DataCollatorForMultipleChoice(DataCollatorMixin):
    """Pad examples whose every key but the label holds a list of choices. Settings as in DataCollatorWithPadding."""

    tokenizer: Any
    padding: Any = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"

    def torch_call(self, features: Sequence[Any]) -> Any:
        """input_ids, … (n, choices, length); labels (n,), the index of the fitting choice."""
        examples = as_examples(features)
        name = next((name for name in ("label", "labels") if name in examples[0]), None)
        labels = [] if name is None else [one.pop(name) for one in examples]
        check_numbers({str(name): labels})
        check_column("input_ids", examples[0])
        choices = len(examples[0]["input_ids"])
        if choices and not hasattr(examples[0]["input_ids"][0], "__len__"):
            raise ValueError("input_ids of example 0 is one text: give a list of texts' ids, one for each choice")
        for index, example in enumerate(examples):
            for key, value in example.items():
                if not hasattr(value, "__len__") or len(value) != choices:
                    raise ValueError(
                        f"{key!r} of example {index} does not hold {choices} choices, as input_ids of example 0 does: "
                        "a batch needs as many everywhere, with every key but the label a list of one entry per choice"
                    )
        flat = [{key: value[choice] for key, value in one.items()} for one in examples for choice in range(choices)]
        batch = pad(self.tokenizer, flat, "pt", self.padding, self.max_length, self.pad_to_multiple_of)
        for key, value in batch.items():
            batch[key] = value.view(len(examples), choices, *value.shape[1:])
        if labels:
            batch["labels"] = torch.tensor([int(label) for label in labels])
        return batch
