"""Input texts and the texts to be written from them, each padded for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .examples import as_arrays, as_examples, check_numbers, checked_kind, padded
from .padding import pad


@dataclass
class DataCollatorForSeq2Seq:
    """Pad inputs as DataCollatorWithPadding does, and labels, of another length, with label_pad_token_id.

    model: where it can prepare_decoder_input_ids_from_labels, the batch gets decoder_input_ids too (label smoothing
    wants them). padding="max_length" pads the labels to max_length as well.
    """

    tokenizer: Any
    model: Any = None
    padding: Any = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = -100
    return_tensors: str = "pt"

    def __call__(self, features: Sequence[Any], return_tensors: str | None = None) -> Any:
        """input_ids and attention_mask (n, length); labels and decoder_input_ids (n, target length)."""
        kind = checked_kind(self.return_tensors if return_tensors is None else return_tensors)
        examples = as_examples(features)
        name = next((name for name in ("label", "labels") if name in examples[0]), None)
        labels = [] if name is None else [one.pop(name) for one in examples]
        for row in labels:
            check_numbers({str(name): row})
        batch = pad(self.tokenizer, examples, "pt", self.padding, self.max_length, self.pad_to_multiple_of)
        if labels:
            side = getattr(self.tokenizer, "padding_side", "right")
            length = self._label_length(max(map(len, labels)))
            batch["labels"] = padded("labels", labels, self.label_pad_token_id, length=length, side=side).to(torch.long)
            if hasattr(self.model, "prepare_decoder_input_ids_from_labels"):
                batch["decoder_input_ids"] = self.model.prepare_decoder_input_ids_from_labels(labels=batch["labels"])
        return batch if kind == "pt" else as_arrays(batch)

    def _label_length(self, longest: int) -> int | None:
        strategy = getattr(self.padding, "value", self.padding)
        if strategy in (False, "do_not_pad"):
            return None
        if strategy == "max_length" and self.max_length is not None:
            longest = self.max_length
        multiple = self.pad_to_multiple_of or 1
        return -(-longest // multiple) * multiple
