"""Beam search: several beginnings of a text at once, the likeliest of all their continuations kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .run import Run

_OUT = -1.0e9  # a score that nothing real has


@dataclass
class Beams:
    """Texts in the making: ids (texts, beams, room), scores (texts, beams), and which row wrote each new token."""

    ids: Tensor
    scores: Tensor
    rows: Tensor  # (texts, beams, new tokens), -1 where none stands yet
    ended: Tensor  # (texts, beams)

    def take(self, places: Tensor) -> Beams:
        """Of each text these beams, (texts, beams to keep)."""
        return Beams(*(_gather(each, places) for each in (self.ids, self.scores, self.rows, self.ended)))

    def beside(self, other: Beams) -> Beams:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Beams(*(torch.cat(pair, dim=1) for pair in pairs))


def _gather(x: Tensor, places: Tensor) -> Tensor:
    index = places.reshape(*places.shape, *(1 for _ in x.shape[2:])).expand(*places.shape, *x.shape[2:])
    return x.gather(1, index)


def beam_search(run: Run) -> Any:
    """The num_return_sequences best texts for each prompt, by the sum of log-probabilities over length ** penalty.

    With do_sample continuations are drawn, without replacement, by the probability of the whole text so far.
    A text's search ends as early_stopping says: True, when num_beams texts have ended; False, when the best that runs
    is no better than the worst that has ended, at its present length; "never", at the length that suits it best.
    """
    settings, stepper = run.settings, run.stepper()
    beams = settings.num_beams
    most: int = run.stopping.max_length or settings.max_length
    start = run.ids.shape[1]
    texts = len(run.ids) // beams
    device = run.ids.device
    running = _empty(run, texts, most)
    running.ids[:, :, :start] = run.ids.view(texts, beams, start)
    finished = Beams(running.ids.clone(), running.scores.clone(), running.rows.clone(), running.ended.clone())
    running.scores[:, 0] = 0.0  # the beams begin alike: only the first one goes on
    may_improve = torch.ones(texts, 1, dtype=torch.bool, device=device)
    first_row = torch.arange(texts, device=device)[:, None] * beams
    length = start
    while True:
        ids = running.ids[:, :, :length].flatten(0, 1)
        logits = stepper(ids)[:, -1]
        scores = run.processors(ids, torch.log_softmax(logits, dim=-1))
        run.record.see(logits, scores, stepper.last)
        words = scores.shape[-1]
        total = (scores.view(texts, beams, words) + running.scores[..., None]).flatten(1)
        # Every end token may take a place of each beam, and as many others must be left to go on.
        keep = max(2, 1 + len(settings.eos)) * beams
        if settings.do_sample:
            places = torch.multinomial(torch.softmax(total, dim=-1), num_samples=keep)
            best = total.gather(1, places)
        else:
            best, places = torch.topk(total, k=keep)
        parents = places // words
        found = running.take(parents)
        found.scores = best
        found.ids[:, :, length] = places % words
        found.rows[:, :, length - start] = first_row + parents
        ends = run.stopping(found.ids[:, :, : length + 1].flatten(0, 1), run.record.scores).view(texts, keep)
        length += 1

        onward = best + ends * _OUT
        running = found.take(torch.topk(onward, k=beams).indices)
        running.scores = onward.gather(1, torch.topk(onward, k=beams).indices)

        full = finished.ended.all(1, keepdim=True) & (settings.early_stopping is True)
        found.ended = ends.clone()
        found.ended[:, beams:] = False  # only the best continuations count as texts
        found.scores = best / (length - start) ** settings.length_penalty
        for barred in (full, ~may_improve, ~found.ended):
            found.scores = found.scores + barred * _OUT
        both = finished.beside(found)
        finished = both.take(torch.topk(both.scores, k=beams).indices)

        may_improve &= _may_improve(running, finished, length - start, most - start, settings)
        all_full = bool(finished.ended.all()) and settings.early_stopping is True
        if not bool(may_improve.any()) or all_full or bool(ends.all()):
            break
        stepper.reorder(running.rows[:, :, length - start - 1].flatten().long())
    return returned(run, stepper, finished, start)


def _empty(run: Run, texts: int, most: int) -> Beams:
    """No text yet; ids are filled with what stands behind a text's end."""
    settings, beams, start = run.settings, run.settings.num_beams, run.ids.shape[1]
    filling = (settings.pad or settings.eos[0]) if settings.eos else -1
    device = run.ids.device
    return Beams(
        torch.full((texts, beams, most), filling, device=device),
        torch.full((texts, beams), _OUT, device=device),
        torch.full((texts, beams, most - start), -1, dtype=torch.int32, device=device),
        torch.zeros(texts, beams, dtype=torch.bool, device=device),
    )


def _may_improve(running: Beams, finished: Beams, length: int, most: int, settings: Any) -> Tensor:
    """(texts, 1): whether the best text that runs could still beat the worst that has ended."""
    if settings.early_stopping == "never" and settings.length_penalty > 0:
        length = most
    best = running.scores[:, :1] / length**settings.length_penalty
    worst = torch.where(finished.ended, finished.scores.min(1, keepdim=True).values, _OUT)
    return (best > worst).any(1, keepdim=True)


def returned(run: Run, stepper: Any, finished: Beams, start: int) -> Any:
    """The best texts of each prompt, cut to the longest."""
    count = run.settings.num_return_sequences
    ids, scores, rows = (each[:, :count].flatten(0, 1) for each in (finished.ids, finished.scores, finished.rows))
    written = int((rows >= 0).sum(1).max())
    kept = {"sequences_scores": scores if run.settings.output_scores else None, "beam_indices": rows[:, :written]}
    return run.record.output(ids[:, : start + written], stepper, **kept)
