"""Masked language modeling (BERT, arXiv:1810.04805) and plain next-token labels (GPT)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...nn.losses import IGNORED
from .examples import DataCollatorMixin, padded
from .padding import as_input_examples, pad
from .randomness import Chance
from .words import WordMarks, first_tokens, whole, word_numbers

logger = logging.getLogger(__name__)

PER_TOKEN = ("offset_mapping", "word_ids")  # columns that say what words the tokens are of


@dataclass
class DataCollatorForLanguageModeling(DataCollatorMixin):
    """Pad the ids and make labels of them.

    mlm=True: a share mlm_probability of the tokens, never special ones, is chosen: those have their id as label, all
    others -100. Of the chosen, mask_replace_prob become the mask token, random_replace_prob a random token, the rest
    stays. mlm=False: labels are the ids, -100 at padding.
    whole_word_mask: choose words with all their pieces, which then all become the mask token.
    seed: for a generator of the collator's own; without it torch's global one decides.
    pad_to_multiple_of; return_tensors: "pt" or "np".
    """

    # What it reads beside the model's inputs: the trainer leaves these columns in.
    reads: ClassVar[tuple[str, ...]] = ("special_tokens_mask", *PER_TOKEN)

    tokenizer: Any
    mlm: bool = True
    whole_word_mask: bool = False
    mlm_probability: float | None = 0.15
    mask_replace_prob: float = 0.8
    random_replace_prob: float = 0.1
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"
    seed: int | None = None

    def __post_init__(self) -> None:
        if type(self.whole_word_mask) is float:  # older scripts pass mlm_probability third
            self.mlm_probability, self.whole_word_mask = self.whole_word_mask, False
        if self.mlm:
            check_mask_token(self.tokenizer)
        elif self.whole_word_mask:
            raise ValueError("whole_word_mask=True masks words, but mlm=False masks nothing: set mlm=True")
        for name in ("mlm_probability", "mask_replace_prob", "random_replace_prob"):
            share = getattr(self, name)
            if share is None and not self.mlm:
                continue
            if share is None or not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}; it is a share, from 0 to 1")
        if self.mask_replace_prob + self.random_replace_prob > 1:
            raise ValueError(
                f"mask_replace_prob + random_replace_prob is {self.mask_replace_prob + self.random_replace_prob:g}: "
                "together they are shares of the chosen tokens, at most 1"
            )
        if self.whole_word_mask and self.mask_replace_prob < 1:
            logger.warning("whole_word_mask=True masks every piece of a word: mask_replace_prob is 1 with it")
            self.mask_replace_prob, self.random_replace_prob = 1.0, 0.0
        self.chance = Chance(self.seed)
        self._marks: WordMarks | None = None
        self._told_ends = self._told_labels = False

    def torch_call(self, features: Sequence[Any]) -> Any:
        """Examples with input_ids, or bare rows of ids -> input_ids, attention_mask, labels (n, length).

        special_tokens_mask, offset_mapping and word_ids are used where the examples have them, and left out.
        """
        examples = as_input_examples(features)
        self.drop_labels(examples)
        beside = {name: [one.pop(name) for one in examples] for name in PER_TOKEN if name in examples[0]}
        batch = pad(self.tokenizer, examples, "pt", multiple=self.pad_to_multiple_of)
        ids, special = batch["input_ids"], batch.pop("special_tokens_mask", None)
        if not self.mlm:
            batch["labels"] = self.next_token_labels(batch)
        elif self.whole_word_mask:
            words = self.words(ids, self.unmaskable(ids, special), **beside)
            batch["input_ids"], batch["labels"] = self.replaced(ids, self.chosen_words(ids, words))
        else:
            batch["input_ids"], batch["labels"] = self.torch_mask_tokens(ids, special)
        return batch

    def drop_labels(self, examples: list[dict[str, Any]]) -> None:
        """Labels that the examples bring are made anew; that is said if they were more than copies of the ids."""
        brought = [one.pop("labels") for one in examples if "labels" in one]
        if brought and not self._told_labels and list(brought[0]) != list(examples[0]["input_ids"]):
            self._told_labels = True
            logger.warning(
                "The examples' own labels are replaced, as this collator makes labels of input_ids: to keep them use "
                "DataCollatorForSeq2Seq(tokenizer), or DataCollatorForTokenClassification(tokenizer)."
            )

    def torch_mask_tokens(self, inputs: Tensor, special_tokens_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """ids (n, length), and 1 where a token must not be masked -> masked ids, labels."""
        shares = torch.full(inputs.shape, self.mlm_probability or 0.0)
        shares.masked_fill_(self.unmaskable(inputs, special_tokens_mask), 0.0)
        return self.replaced(inputs, torch.bernoulli(shares, generator=self.chance.generator()).bool())

    def chosen_words(self, inputs: Tensor, words: Tensor) -> Tensor:
        """True at all tokens of words chosen at random: words (n, length), the number of each token's word."""
        shares = first_tokens(words) * (self.mlm_probability or 0.0)
        return whole(words, torch.bernoulli(shares, generator=self.chance.generator()).bool())

    def replaced(self, inputs: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """ids with the chosen tokens masked, changed or kept, and labels that have the chosen tokens' ids."""
        generator = self.chance.generator()
        labels = inputs.masked_fill(~chosen, IGNORED)
        masked = torch.bernoulli(torch.full(inputs.shape, self.mask_replace_prob), generator=generator).bool() & chosen
        inputs = inputs.masked_fill(masked, self.tokenizer.mask_token_id)
        if self.mask_replace_prob < 1 and self.random_replace_prob > 0:
            share = self.random_replace_prob / (1 - self.mask_replace_prob)
            other = torch.bernoulli(torch.full(inputs.shape, share), generator=generator).bool() & chosen & ~masked
            inputs = torch.where(other, torch.randint(len(self.tokenizer), inputs.shape, generator=generator), inputs)
        return inputs, labels

    def unmaskable(self, inputs: Tensor, special_tokens_mask: Tensor | None) -> Tensor:
        """Where special tokens stand, padding among them: (n, length)."""
        if special_tokens_mask is not None:
            return torch.as_tensor(special_tokens_mask).bool()
        return torch.isin(inputs, torch.tensor(self.tokenizer.all_special_ids))

    def next_token_labels(self, batch: Any) -> Tensor:
        """The ids, -100 where the padding token stands."""
        ids, pad_id = batch["input_ids"], self.tokenizer.pad_token_id
        if pad_id is None:
            return ids.clone()
        ends = (ids == pad_id) & (batch.get("attention_mask", torch.zeros_like(ids)) == 1)
        if not self._told_ends and pad_id == self.tokenizer.eos_token_id and bool(ends.any()):
            self._told_ends = True
            logger.warning(
                "The tokenizer's padding token is its end-of-text token %r, so ends of texts get no label and the "
                "model will not learn to stop: choose another pad_token to change that.",
                self.tokenizer.pad_token,
            )
        return ids.masked_fill(ids == pad_id, IGNORED)

    def words(
        self, ids: Tensor, special: Tensor, offset_mapping: list[Any] | None = None, word_ids: list[Any] | None = None
    ) -> Tensor:
        """The number of each token's word, (n, length); see words.word_numbers."""
        self._marks = self._marks or WordMarks(self.tokenizer)
        length, side = ids.shape[1], getattr(self.tokenizer, "padding_side", "right")
        offsets = known = None
        if word_ids is not None:
            rows = [[-1 if word is None else word for word in row] for row in word_ids]
            known = padded("word_ids", rows, -1, length=length, side=side)
        elif offset_mapping is not None:
            offsets = padded("offset_mapping", offset_mapping, 0, length=length, side=side)
        return word_numbers(ids, special, self._marks, offsets=offsets, word_ids=known)


def check_mask_token(tokenizer: Any) -> None:
    if tokenizer.mask_token is None:
        raise ValueError(
            "this tokenizer has no mask token, so nothing can be masked: pass mlm=False for a model that writes on "
            "(GPT), or add one with tokenizer.add_special_tokens({'mask_token': '[MASK]'})"
        )
