"""Sentence-order prediction beside masked tokens (ALBERT, arXiv:1909.11942)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .examples import check_numbers
from .language_modeling import DataCollatorForLanguageModeling


@dataclass
class DataCollatorForSOP(DataCollatorForLanguageModeling):
    """Masked tokens as in DataCollatorForLanguageModeling, and each example's `sentence_order_label` (0: in order).

    The attention mask is 1 at every token and 0 at padding. (transformers 4 hid masked tokens and showed padding.)
    """

    def torch_call(self, features: Sequence[Any]) -> Any:
        """input_ids, token_type_ids, attention_mask, labels (n, length); sentence_order_label (n,)."""
        examples = [dict(one) for one in features]
        if any("sentence_order_label" not in one for one in examples):
            raise ValueError(
                "DataCollatorForSOP needs 'sentence_order_label' in every example: 0 for segments in their order, "
                "1 for swapped ones"
            )
        order = [one.pop("sentence_order_label") for one in examples]
        check_numbers({"sentence_order_label": order})
        batch = super().torch_call(examples)
        batch["sentence_order_label"] = torch.tensor([int(one) for one in order])
        return batch
