"""From the scores of windows to answers as texts, and their measure against the answers that are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...data.rows import Rows
from ..metrics import EvalPrediction, compute

BEST = 20  # starts and ends of a window that are tried with each other
LONGEST_ANSWER = 30  # tokens


class AnswerMetric:
    """compute_metrics for questions: EvalPrediction with (start logits, end logits), each (windows, length) -> scores.

    windows: the examples of nabi.training.tasks.question_answering, in the order of the predictions.
    """

    def __init__(self, rows: Rows, windows: list[dict[str, Any]], name: str) -> None:
        self.rows, self.windows, self.name = rows, windows, name

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        starts, ends = prediction.predictions[:2]
        texts = predicted_texts(self.rows, self.windows, starts, ends, may_be_none=self.name == "squad_v2")
        scores = compute(
            self.name,
            [{"id": str(row), "prediction_text": text} for row, text in enumerate(texts)],
            [
                {"id": str(row), "answers": {"text": answers_of(answers)[0]}}
                for row, answers in enumerate(self.rows["answers"])
            ],
        )
        names = {"exact_match": "exact_match", "exact": "exact_match", "f1": "f1"}
        return {
            names.get(name, name): score for name, score in scores.items() if not name.endswith(("total", "thresh"))
        }


def predicted_texts(
    rows: Rows, windows: list[dict[str, Any]], starts: np.ndarray, ends: np.ndarray, may_be_none: bool
) -> list[str]:
    """The best answer to each question over its windows; "" where none is better than no answer."""
    contexts = rows["context"]
    best = [(-np.inf, "")] * len(rows)
    without = [np.inf] * len(rows)
    for window, start, end in zip(windows, starts, ends, strict=True):
        row, offsets, none = window["row"], window["offsets"], window["none"]
        without[row] = min(without[row], float(start[none] + end[none]))
        of_context = np.array([number for number, place in enumerate(offsets) if place is not None], dtype=int)
        firsts = of_context[np.argsort(start[of_context])[::-1][:BEST]]
        lasts = of_context[np.argsort(end[of_context])[::-1][:BEST]]
        for first in firsts:
            for last in lasts:
                if first <= last < first + LONGEST_ANSWER and (score := float(start[first] + end[last])) > best[row][0]:
                    best[row] = (score, contexts[row][offsets[first][0] : offsets[last][1]].strip())
    return ["" if may_be_none and none > score else text for (score, text), none in zip(best, without, strict=True)]


def metric_for(rows: Rows) -> str:
    """The measure by the language, and by whether every question has an answer."""
    if not all(answers_of(answers)[0] for answers in rows["answers"]):
        return "squad_v2"
    letters = [letter for context in rows[:100]["context"] for letter in context[:200] if letter.isalpha()]
    korean = sum("가" <= letter <= "힣" for letter in letters)
    return "korquad" if korean > len(letters) / 3 else "squad"


def answers_of(answers: Any) -> tuple[list[str], list[int]]:
    """Texts and starts of {"text": […], "answer_start": […]}, or of [{"text", "answer_start"}, …]."""
    if isinstance(answers, Mapping):
        texts, starts = answers.get("text", []), answers.get("answer_start", [])
        return ([texts], [starts]) if isinstance(texts, str) else (list(texts), list(starts))
    return [answer["text"] for answer in answers or []], [answer["answer_start"] for answer in answers or []]
