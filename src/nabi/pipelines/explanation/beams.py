"""Beam search as a tree: which continuations each step found, and which of them it kept, dropped, or found ended."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from torch import Tensor

from .contents import Beams, Branch


class BeamWatch:
    """Stands among the stopping criteria, which see every candidate of a step, and never stops anything.

    steps: for each step the candidates' ids (candidates, length) as the search found them, the first text's alone.
    start: the prompt's length.
    """

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.width = settings.num_beams
        self.start = 0
        self.steps: list[Tensor] = []
        self.scores: list[Tensor] = []

    def __call__(self, ids: Tensor, scores: Any, **_: Any) -> bool:
        if not self.steps:
            self.start = ids.shape[1] - 1
        plain = self.width > 1 and self.settings.num_beam_groups == 1
        if plain and not (self.settings.constraints or self.settings.force_words_ids):
            keep = max(2, 1 + len(self.settings.eos)) * self.width
            self.steps.append(ids[:keep].cpu())
            self.scores.append(scores[-1][: self.width].float().cpu())
        elif not self.steps:
            self.steps.append(ids[:0].cpu())
        return False


def beam_tree(watched: BeamWatch, ids: Tensor, spell: Callable[[list[int]], list[str]]) -> Beams | None:
    """The tree of the search whose best text is `ids` (length,), prompt included. None where none was watched."""
    if not watched.scores:
        return None
    settings, width = watched.settings, watched.width
    prompt = tuple(watched.steps[0][0, : watched.start].tolist())
    branches: list[Branch] = []
    running: list[tuple[tuple[int, ...], float, int | None]] = [(prompt, 0.0, None)]
    best = tuple(ids.tolist())
    for step, (found, scores) in enumerate(zip(watched.steps, watched.scores, strict=True)):
        rows = {text: row for row, (text, _, _) in reversed(list(enumerate(running)))}
        onward: list[Branch] = []
        texts: dict[int, tuple[int, ...]] = {}
        for place, row in enumerate(found.tolist()):
            parent = rows.get(tuple(row[:-1]))
            if parent is None or any(texts[b.number] == tuple(row) for b in onward):
                continue  # a beam that has not begun: they are alike at first
            total = running[parent][1] + float(scores[parent, row[-1]])
            if total == float("-inf"):
                continue
            ended = row[-1] in settings.eos or len(row) >= settings.max_length
            branch = Branch(len(branches), running[parent][2], step, "", row[-1], "", total, "kept")
            if ended:
                branch.fate = "ended" if place < width else "dropped"
                branch.score = total / (len(row) - watched.start) ** settings.length_penalty
            texts[branch.number] = tuple(row)
            branches.append(branch)
            if not ended:
                onward.append(branch)
        kept = heapq.nlargest(width, onward, key=lambda branch: branch.total)
        for branch in onward:
            if branch not in kept:
                branch.fate = "dropped"
        running = [(texts[branch.number], branch.total, branch.number) for branch in kept]
        mark_best(branches, texts, best)
    names = spell([branch.id for branch in branches])
    for branch, name in zip(branches, names, strict=True):
        branch.token = branch.text = name
    return Beams(width, branches)


def mark_best(branches: list[Branch], texts: dict[int, tuple[int, ...]], best: tuple[int, ...]) -> None:
    for number, text in texts.items():
        branches[number].best = best[: len(text)] == text and branches[number].fate != "dropped"
