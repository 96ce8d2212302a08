"""Which tokens are pieces of one word: by the tokenizer's words or offsets, else by the marks of its vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CONTINUES, BEGINS, ENDS = "##", ("▁", "Ġ"), "</w>"


class WordMarks:
    """How the tokens of a vocabulary show where words are: ##piece (WordPiece), ▁word, Ġword, or word</w>."""

    def __init__(self, tokenizer: Any) -> None:
        vocabulary = tokenizer.get_vocab()
        counts = {
            mark: sum(token.endswith(mark) if mark == ENDS else token.startswith(mark) for token in vocabulary)
            for mark in (CONTINUES, *BEGINS, ENDS)
        }
        self.mark = max(counts, key=lambda mark: counts[mark])
        if not counts[self.mark]:
            self.mark = ""
        self.marked = torch.zeros(max(vocabulary.values(), default=0) + 1, dtype=torch.bool)
        ids = [i for t, i in vocabulary.items() if (t.endswith if self.mark == ENDS else t.startswith)(self.mark)]
        self.marked[ids] = True

    def starts(self, ids: Tensor) -> Tensor:
        """Whether a token begins a word, as far as it and the token before it show: (rows, length)."""
        marked = self.marked[ids.clamp(max=len(self.marked) - 1)]
        if self.mark == CONTINUES:
            return ~marked
        return marked.roll(1, 1) if self.mark == ENDS else marked


def word_numbers(
    ids: Tensor, special: Tensor, marks: WordMarks, *, offsets: Tensor | None = None, word_ids: Tensor | None = None
) -> Tensor:
    """The number of each token's word in its row, from 1; -1 for special tokens. All (rows, length).

    offsets (rows, length, 2): tokens with no gap between them are one word, as space-separated words (eojeol) are.
    word_ids: the tokenizer's own, which split words at punctuation. ValueError if nothing shows where words begin.
    """
    if word_ids is not None:
        starts = word_ids != word_ids.roll(1, 1)
    elif offsets is not None:
        first, end = offsets.unbind(-1)
        # Bytes of one letter overlap, so no gap is: to begin no later than the token before ended. A pair begins anew.
        starts = (first > end.roll(1, 1)) | (first < first.roll(1, 1))
        if marks.mark in BEGINS:  # their offsets may take in the space, and then show no gap
            starts |= marks.starts(ids)
    elif marks.mark:
        starts = marks.starts(ids)
    else:
        raise ValueError(
            "nothing shows where words begin: the vocabulary has no marks (##, ▁, Ġ, </w>); tokenize with "
            "return_offsets_mapping=True and keep that column (remove_unused_columns=False)"
        )
    after_special = special.roll(1, 1)
    after_special[:, 0] = True
    starts = ~special & (starts | after_special)
    return torch.where(special, -1, starts.cumsum(1))


def first_tokens(words: Tensor) -> Tensor:
    """Whether a token is the first of its word: (rows, length)."""
    before = words.roll(1, 1)
    before[:, 0] = -1
    return (words > 0) & (words != before)


def whole(words: Tensor, chosen: Tensor) -> Tensor:
    """All tokens of the words of which a token is chosen: (rows, length)."""
    picked = torch.zeros(len(words), int(words.max().clamp(min=0)) + 1, dtype=torch.bool)
    rows, places = (chosen & (words > 0)).nonzero(as_tuple=True)
    picked[rows, words[rows, places]] = True
    return picked.gather(1, words.clamp(min=0)) & (words > 0)
