"""Answers to questions about a text, by the rules of SQuAD 1.1 and 2.0 (Rajpurkar et al.) and of KorQuAD 1.0.

All are percentages, the best over the reference answers. SQuAD drops English articles and compares words; KorQuAD drops
quotation marks and brackets and compares characters, because a Korean word carries its particle with it.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
KOREAN_MARKS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))

Answers = Sequence[Mapping[str, Any]]


def squad(predictions: Answers, references: Answers) -> dict[str, float]:
    """exact_match and f1 of SQuAD 1.1; every question has an answer."""
    return exact_and_f1(predictions, references, plain, lambda text: plain(text).split())


def korquad(predictions: Answers, references: Answers) -> dict[str, float]:
    """exact_match and f1 (of characters) of KorQuAD 1.0; every question has an answer."""
    return exact_and_f1(predictions, references, korean_plain, lambda text: list(korean_plain(text).replace(" ", "")))


def squad_v2(predictions: Answers, references: Answers, *, no_answer_threshold: float = 1.0) -> dict[str, float]:
    """exact and f1 of SQuAD 2.0, over all questions and over those with (HasAns_…) and without an answer (NoAns_…).

    A question without an answer is answered by "". Where predictions have no_answer_probability, above the threshold
    the answer counts as "", and best_exact and best_f1 tell what the best threshold would give.
    """
    answerable = [bool(answer_texts(row)) for row in references]
    given = [prediction.get("no_answer_probability") for prediction in predictions]
    if None in given and any(one is not None for one in given):
        raise ValueError("some predictions have no_answer_probability, and some do not")
    probabilities = [float(one or 0.0) for one in given]
    exact, f1 = [], []
    for prediction, reference in zip(predictions, references, strict=True):
        golds = [text for text in answer_texts(reference) if plain(text)] or [""]
        text = prediction["prediction_text"]
        exact.append(max(float(plain(text) == plain(gold)) for gold in golds))
        f1.append(max(f1_or_both_empty(plain(text).split(), plain(gold).split()) for gold in golds))
    result: dict[str, float] = {}
    for name, scores in (("exact", exact), ("f1", f1)):
        counted = [
            score if probability <= no_answer_threshold else float(not has)
            for score, probability, has in zip(scores, probabilities, answerable, strict=True)
        ]
        for prefix, chosen in (
            ("", counted),
            ("HasAns_", [score for score, has in zip(counted, answerable, strict=True) if has]),
            ("NoAns_", [score for score, has in zip(counted, answerable, strict=True) if not has]),
        ):
            if chosen:
                result[prefix + name] = percent(chosen)
                result[prefix + "total"] = float(len(chosen))
    if None not in given:
        texts = [prediction["prediction_text"] for prediction in predictions]
        for name, scores in (("exact", exact), ("f1", f1)):
            best, threshold = best_threshold(scores, probabilities, answerable, texts)
            result |= {f"best_{name}": best, f"best_{name}_thresh": threshold}
    return result


def exact_and_f1(
    predictions: Answers, references: Answers, plain_text: Callable[[str], str], pieces: Callable[[str], list[str]]
) -> dict[str, float]:
    exact, f1 = [], []
    for prediction, reference in zip(predictions, references, strict=True):
        text, golds = prediction["prediction_text"], answer_texts(reference)
        if not golds:
            raise ValueError(f"the question {reference['id']!r} has no answer: 'squad_v2' measures such questions")
        exact.append(max(float(plain_text(text) == plain_text(gold)) for gold in golds))
        f1.append(max(f1_of(pieces(text), pieces(gold)) for gold in golds))
    return {"exact_match": percent(exact), "f1": percent(f1)}


def answer_texts(reference: Mapping[str, Any]) -> list[str]:
    """The texts of {"text": […], "answer_start": […]}, or of [{"text": …}, …]."""
    answers = reference["answers"]
    return list(answers["text"]) if isinstance(answers, Mapping) else [answer["text"] for answer in answers]


def plain(text: str) -> str:
    """Lower case, without punctuation and articles, one blank between words."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def korean_plain(text: str) -> str:
    return " ".join(text.translate(KOREAN_MARKS).lower().translate(NO_PUNCTUATION).split())


def f1_of(predicted: Sequence[str], true: Sequence[str]) -> float:
    shared = (Counter(predicted) & Counter(true)).total()
    return 2 * shared / (len(predicted) + len(true)) if shared else 0.0


def f1_or_both_empty(predicted: Sequence[str], true: Sequence[str]) -> float:
    return f1_of(predicted, true) if predicted and true else float(predicted == true)


def best_threshold(
    scores: Sequence[float], probabilities: Sequence[float], answerable: Sequence[bool], texts: Sequence[str]
) -> tuple[float, float]:
    """The best percentage that a threshold on no_answer_probability gives, and that threshold.

    It starts with no question answered, and answers them in the order of their probabilities.
    """
    score = best = float(sum(not has for has in answerable))
    threshold = 0.0
    for place in sorted(range(len(scores)), key=probabilities.__getitem__):
        score += scores[place] if answerable[place] else -1 if texts[place] else 0
        if score > best:
            best, threshold = score, probabilities[place]
    return 100 * best / len(scores), threshold


def percent(scores: Sequence[float]) -> float:
    return 100 * sum(scores) / len(scores)
