"""Whole words masked with a fixed budget of tokens per text, as BERT's whole-word models were trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .language_modeling import DataCollatorForLanguageModeling

MOST_MASKED = 512  # tokens of one text


@dataclass
class DataCollatorForWholeWordMask(DataCollatorForLanguageModeling):
    """Choose words at random until a share mlm_probability of each text's tokens is reached, never more, at least one.

    Words: by the examples' word_ids or offset_mapping (then those that spaces separate, as eojeol), else by the marks
    of the vocabulary (##, ▁, Ġ). `chinese_ref`, a list of the places that go on a word, is read too. Replacement by
    mask_replace_prob and random_replace_prob as in the class above, token by token.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.mlm:
            raise ValueError(
                "DataCollatorForWholeWordMask masks words: with mlm=False use DataCollatorForLanguageModeling"
            )
        self.whole_word_mask = True

    def chosen_words(self, inputs: Tensor, words: Tensor) -> Tensor:
        pad_id = self.tokenizer.pad_token_id
        sizes = (inputs != (-1 if pad_id is None else pad_id)).sum(1)
        return torch.stack([self.words_within(row, int(size)) for row, size in zip(words, sizes, strict=True)])

    def words_within(self, words: Tensor, tokens: int) -> Tensor:
        """Which tokens of one text of so many tokens to choose: words (length,), -1 where none is."""
        budget = min(MOST_MASKED, max(1, round(tokens * (self.mlm_probability or 0.0))))
        sizes = torch.bincount(words.clamp(min=0))[1:]  # the first counts special tokens
        order = torch.randperm(len(sizes), generator=self.chance.generator())
        taken = []
        for word, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
            if budget == 0:
                break
            if size <= budget:
                taken.append(word + 1)
                budget -= size
        return torch.isin(words, torch.tensor(taken, dtype=words.dtype))
