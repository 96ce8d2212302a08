"""The texts that group and constrained search keep: ended ones, a list for each prompt or for each of its groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .run import Run

OUT = -1.0e9  # a score that nothing real has


class Text(NamedTuple):
    """score: log-probability over length ** length_penalty; ids (length,), without the end; rows that wrote them."""

    score: float
    ids: Tensor
    rows: Tensor


class Continuations(NamedTuple):
    """Next tokens of a text's beams, the likeliest first, (n,) each; rows: whose continuation each is."""

    scores: Tensor
    tokens: Tensor
    rows: Tensor


class Hypotheses:
    """The best `count` texts that ended. They are done when the settings' early_stopping says that no better comes."""

    def __init__(self, count: int, run: Run) -> None:
        self.count = count
        self.settings = run.settings
        self.start = run.ids.shape[1]
        self.texts: list[Text] = []
        self.done = False

    def add(self, total: float, ids: Tensor, rows: Tensor, length: int) -> None:
        """A text whose tokens' log-probabilities sum to `total`; length: how many were written, with the end."""
        score = total / length**self.settings.length_penalty
        worst = min((text.score for text in self.texts), default=score)
        if len(self.texts) < self.count or score > worst:
            self.texts.append(Text(score, ids.clone(), rows))
        if len(self.texts) > self.count:
            del self.texts[min(range(len(self.texts)), key=lambda place: self.texts[place].score)]

    def look_for_end(self, best: float, length: int) -> None:
        """Settle whether this list is done, where `best` is the sum of the likeliest text with so many new tokens."""
        if len(self.texts) < self.count:
            return
        if self.settings.early_stopping is True:
            self.done = True
            return
        if self.settings.early_stopping == "never" and self.settings.length_penalty > 0:
            length = self.settings.max_length - self.start  # at its longest a text scores best
        attainable = best / length**self.settings.length_penalty
        self.done = min(text.score for text in self.texts) >= attainable

    def divide(
        self, found: Continuations, ids: Tensor, written: Tensor, counts: Callable[[Tensor], bool] | None = None
    ) -> Continuations:
        """Of the best `count` continuations keep the texts that end, if they count; return the best others, as many.

        ids (rows, length) are the texts so far, written (rows, new tokens) the rows that wrote them.
        """
        ends = torch.isin(found.tokens, torch.tensor(self.settings.eos, device=ids.device, dtype=torch.long))
        length = ids.shape[1] + 1 - self.start
        for place in ends[: self.count].nonzero().flatten().tolist():
            row = found.rows[place]
            if counts is None or counts(ids[row]):
                self.add(float(found.scores[place]), ids[row], torch.cat((written[row], row[None])), length)
        onward = (~ends).nonzero().flatten()[: self.count]
        return Continuations(*(each[onward] for each in found))


def likeliest(scores: Tensor, rows: Tensor, ends: int) -> list[Continuations]:
    """Of each text the best continuations: so many that each beam can go on, however many end.

    scores (texts, beams, vocabulary): log-probabilities of whole texts. rows (texts, beams).
    """
    texts, beams, words = scores.shape
    best, places = torch.topk(scores.flatten(1), max(2, 1 + ends) * beams, dim=1)
    return [Continuations(best[text], places[text] % words, rows[text][places[text] // words]) for text in range(texts)]


def waiting(pad: int | None, rows: Tensor) -> Continuations:
    """For a text that is done while others are not: padding behind the same rows."""
    tokens = torch.full_like(rows, pad if pad is not None else 0)
    return Continuations(torch.zeros(len(rows), device=rows.device), tokens, rows)


def returned(run: Run, stepper: Any, found: list[list[Text]]) -> Any:
    """Of each prompt's texts the best num_return_sequences; one that ended has the first of the end tokens behind it.

    Which of them ended it is not kept, as in the searches that people know.
    """
    settings = run.settings
    best: list[Text] = []
    for texts in found:
        best += sorted(texts, key=lambda text: text.score)[::-1][: settings.num_return_sequences]
    device, start = run.ids.device, run.ids.shape[1]
    written = max(len(text.rows) for text in best)
    ids = torch.full((len(best), start + written), settings.pad if settings.pad is not None else 0, device=device)
    rows = torch.full((len(best), written), -1, device=device)
    for place, text in enumerate(best):
        ids[place, : len(text.ids)] = text.ids
        rows[place, : len(text.rows)] = text.rows
        if len(text.ids) < start + len(text.rows):
            ids[place, len(text.ids)] = settings.eos[0]
    scores = torch.tensor([text.score for text in best], device=device) if settings.output_scores else None
    return run.record.output(ids, stepper, sequences_scores=scores, beam_indices=rows)
