"""Permutation language modeling (XLNet, arXiv:1906.08237): tokens are predicted in a random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...nn.losses import IGNORED
from .examples import DataCollatorMixin
from .language_modeling import check_mask_token
from .padding import as_input_examples, pad


@dataclass
class DataCollatorForPermutationLanguageModeling(DataCollatorMixin):
    """Choose spans of 1 to max_span_length tokens, a share plm_probability of a text, to predict in a random order.

    Rows are padded to one even length: each half is permuted within itself, for a model that reuses the half before.
    """

    tokenizer: Any
    plm_probability: float = 1 / 6
    max_span_length: int = 5
    return_tensors: str = "pt"

    def torch_call(self, features: Sequence[Any]) -> Any:
        """input_ids and labels (n, length); perm_mask and target_mapping (n, length, length)."""
        examples = as_input_examples(features)
        rows = [{"input_ids": one["input_ids"]} for one in examples]
        batch = pad(self.tokenizer, rows, "pt", multiple=2)
        names = ("input_ids", "perm_mask", "target_mapping", "labels")
        return {**batch, **dict(zip(names, self.torch_mask_tokens(batch["input_ids"]), strict=True))}

    def torch_mask_tokens(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """ids (n, length) -> masked ids; perm_mask, 1 where a token (row) must not see another (column); which place
        each prediction is of; labels, -100 where nothing is predicted."""
        check_mask_token(self.tokenizer)
        rows, length = inputs.shape
        if length % 2:
            raise ValueError(
                f"the rows have {length} tokens, but this objective permutes two halves and needs an even number: "
                "pad them with pad_to_multiple_of=2"
            )
        special = torch.isin(inputs, torch.tensor(self.tokenizer.all_special_ids))
        chosen = torch.stack([self.spans(length) for _ in range(rows)]) & ~special
        labels = inputs.masked_fill(~chosen, IGNORED)
        order = torch.stack([half_by_half(length) for _ in range(rows)])
        # Words that are given come first of all: every token sees them, and they see no predicted one.
        order = order.masked_fill(~chosen & ~special, -1)
        hidden = (order[:, :, None] <= order[:, None, :]) & chosen[:, None, :]
        targets = torch.eye(length).expand(rows, length, length).clone()
        return inputs.masked_fill(chosen, self.tokenizer.mask_token_id), hidden.float(), targets, labels

    def spans(self, length: int) -> Tensor:
        """True at the places of spans, one in each stretch of span / plm_probability tokens."""
        chosen = torch.zeros(length, dtype=torch.bool)
        start = 0
        while start < length:
            span = int(torch.randint(1, self.max_span_length + 1, (1,)))
            stretch = int(span / self.plm_probability)
            first = start + int(torch.randint(stretch - span + 1, (1,)))
            chosen[first : first + span] = True
            start += stretch
        return chosen


def half_by_half(length: int) -> Tensor:
    """For each place its turn, where both halves go by the same random order within themselves."""
    shuffled = torch.randperm(length // 2)
    return torch.cat([shuffled, shuffled + length // 2])
