"""Against texts that repeat themselves, or their source."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import LogitsProcessor, number, whole


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Tokens that occurred get a score divided by `penalty`, or times it where it is below 0 (arXiv:1909.05858).

    `prompt_ignore_length`: how many ids at the beginning do not count, for all rows or (texts,) for each text, such as
    its padding; with several rows a text (beams), one number for each text is enough.
    """

    def __init__(self, penalty: float, prompt_ignore_length: int | Tensor | None = None) -> None:
        self.penalty = number("repetition_penalty", penalty, lambda value: value > 0, "a number above 0")
        if isinstance(prompt_ignore_length, Tensor):
            if prompt_ignore_length.dim() != 1:
                raise ValueError(
                    f"prompt_ignore_length has the shape {tuple(prompt_ignore_length.shape)}; expected (texts,)"
                )
        elif prompt_ignore_length is not None:
            prompt_ignore_length = whole("prompt_ignore_length", prompt_ignore_length, 0)
        self.prompt_ignore_length = prompt_ignore_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        ignored = self.prompt_ignore_length
        if isinstance(ignored, int):
            input_ids = input_ids[:, ignored:]
        elif ignored is not None:
            ignored = _for_rows(ignored, input_ids.shape[0], "prompt_ignore_length").to(input_ids.device)
            positions = torch.arange(input_ids.shape[1], device=input_ids.device)
            input_ids = input_ids.masked_fill(positions < ignored[:, None], scores.shape[-1])
        return _penalized(scores, input_ids, self.penalty)


class EncoderRepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Tokens of the source are favoured by `penalty` above 1: their scores are times it, or below 0 divided by it.

    `encoder_input_ids` (texts, source length).
    """

    def __init__(self, penalty: float, encoder_input_ids: Tensor) -> None:
        self.penalty = 1 / number("encoder_repetition_penalty", penalty, lambda value: value > 0, "a number above 0")
        self.encoder_input_ids = encoder_input_ids

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        source = _for_rows(self.encoder_input_ids, scores.shape[0], "encoder_input_ids")
        return _penalized(scores, source.to(scores.device), self.penalty)


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No run of `ngram_size` tokens occurs twice in a text, prompt included (arXiv:1705.04304)."""

    def __init__(self, ngram_size: int) -> None:
        self.ngram_size = whole("no_repeat_ngram_size", ngram_size, 1, "leave it out for no such rule")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _without_ngrams_of(input_ids, input_ids, scores, self.ngram_size)


class EncoderNoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No run of `encoder_ngram_size` tokens is taken over from the source, (texts, source length)."""

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Tensor) -> None:
        self.ngram_size = whole("encoder_no_repeat_ngram_size", encoder_ngram_size, 1, "leave it out for no such rule")
        self.encoder_input_ids = encoder_input_ids if encoder_input_ids.dim() == 2 else encoder_input_ids[None]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        source = _for_rows(self.encoder_input_ids, scores.shape[0], "encoder_input_ids")
        return _without_ngrams_of(source.to(input_ids.device), input_ids, scores, self.ngram_size)


class HammingDiversityLogitsProcessor(LogitsProcessor):
    """Each group of beams avoids what the groups before it chose at this step (arXiv:1610.02424).

    A score falls by `diversity_penalty` for every earlier beam of the same text that took the token.
    """

    def __init__(self, diversity_penalty: float, num_beams: int, num_beam_groups: int) -> None:
        self.diversity_penalty = number(
            "diversity_penalty", diversity_penalty, lambda value: value > 0, "a number above 0"
        )
        self.num_beams = whole("num_beams", num_beams, 2)
        if whole("num_beam_groups", num_beam_groups, 2) > num_beams:
            raise ValueError(f"num_beam_groups is {num_beam_groups}; expected at most num_beams, {num_beams}")
        self.group_size = num_beams // num_beam_groups

    def __call__(  # type: ignore[override]
        self, input_ids: Tensor, scores: Tensor, current_tokens: Tensor, beam_group_idx: int
    ) -> Tensor:
        """Scores (texts * beams of this group, vocabulary); current_tokens (texts * all beams,), filled up to here."""
        before = current_tokens.view(-1, self.num_beams)[:, : beam_group_idx * self.group_size].to(scores.device)
        if before.shape[1] == 0:
            return scores
        counts = torch.zeros(before.shape[0], scores.shape[-1], device=scores.device)
        counts.scatter_add_(1, before, torch.ones_like(before, dtype=counts.dtype))
        counts = counts.repeat_interleave(scores.shape[0] // before.shape[0], dim=0)
        return scores - (self.diversity_penalty * counts).to(scores.dtype)


def _for_rows(texts: Tensor, rows: int, name: str) -> Tensor:
    """One entry for each row, from one for each text; a text's rows stand together."""
    if texts.shape[0] == rows:
        return texts
    if texts.shape[0] == 0 or rows % texts.shape[0]:
        raise ValueError(
            f"{name} is for {texts.shape[0]} texts, but there are {rows} rows: pass an entry for each text"
        )
    return texts.repeat_interleave(rows // texts.shape[0], dim=0)


def _penalized(scores: Tensor, ids: Tensor, penalty: float) -> Tensor:
    """Ids (rows, any length); those past the vocabulary, such as images, mean nothing and go to a column beyond."""
    vocabulary = scores.shape[-1]
    ids = ids.clamp(max=vocabulary)
    padded = torch.nn.functional.pad(scores, (0, 1))
    found = padded.gather(1, ids)
    changed = torch.where(found < 0, found * penalty, found / penalty)
    return padded.scatter(1, ids, changed)[:, :vocabulary]


def _without_ngrams_of(source: Tensor, input_ids: Tensor, scores: Tensor, size: int) -> Tensor:
    """Scores without the tokens that would end a text in one of its source's n-grams."""
    length = input_ids.shape[1]
    if length < size - 1 or source.shape[1] < size:
        return scores
    begun = input_ids[:, length - (size - 1) :]
    ngrams = source.unfold(1, size, 1)  # (rows, places, size), a view
    same = torch.ones(ngrams.shape[:2], dtype=torch.bool, device=source.device)
    for place in range(size - 1):  # narrows down column by column: no (rows, places, size) of comparisons is made
        same &= ngrams[:, :, place] == begun[:, place, None]
    vocabulary = scores.shape[-1]
    endings = ngrams[:, :, -1].clamp(max=vocabulary).masked_fill(~same, vocabulary)
    banned = torch.zeros(scores.shape[0], vocabulary + 1, dtype=torch.bool, device=scores.device)
    return scores.masked_fill(banned.scatter(1, endings, True)[:, :vocabulary], -torch.inf)
