"""Questions about texts, as SQuAD 1.1 and 2.0, KorQuAD 1.0 and KLUE-MRC store them, to one row per question.

{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}
-> id, title, context, question, answers {"text": […], "answer_start": […]}, is_impossible
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)


def is_question_file(content: Any) -> bool:
    articles = content.get("data") if isinstance(content, Mapping) else None
    return (
        isinstance(articles, list)
        and bool(articles)
        and isinstance(articles[0], Mapping)
        and "paragraphs" in articles[0]
    )


def question_rows(content: Mapping[str, Any], file_name: str) -> list[dict[str, Any]]:
    """ValueError that names the place if something lacks; a warning counts the answers that do not stand where they
    are said to."""
    rows: list[dict[str, Any]] = []
    misplaced: list[str] = []
    for a, article in enumerate(content["data"]):
        for p, paragraph in enumerate(part(article, "paragraphs", f"{file_name}: data[{a}]")):
            place = f"{file_name}: data[{a}].paragraphs[{p}]"
            context = part(paragraph, "context", place)
            for q, question in enumerate(part(paragraph, "qas", place)):
                here = f"{place}.qas[{q}]"
                answers = answers_of(question, here)
                row = {
                    "id": str(question.get("id", question.get("guid", len(rows)))),
                    "title": article.get("title", ""),
                    "context": context,
                    "question": part(question, "question", here),
                    "answers": answers,
                    "is_impossible": bool(question.get("is_impossible", False)),
                }
                rows.append(row)
                if any(
                    not context.startswith(text, start)
                    for text, start in zip(answers["text"], answers["answer_start"], strict=True)
                ):
                    misplaced.append(row["id"])
    if misplaced:
        logger.warning(
            "%s: the answers of %d questions (first: %s) do not stand in the text where answer_start says: a model "
            "would learn other words",
            file_name,
            len(misplaced),
            misplaced[0],
        )
    return rows


def answers_of(question: Mapping[str, Any], here: str) -> dict[str, list[Any]]:
    """Both lists; empty for a question that cannot be answered, whose plausible answers are none."""
    given = [] if question.get("is_impossible") else question.get("answers") or []
    for number, answer in enumerate(given):
        start = part(answer, "answer_start", f"{here}.answers[{number}]")
        if not isinstance(start, int) or start < 0:
            raise ValueError(f"{here}.answers[{number}] has the answer_start {start!r}; a number of characters is due")
        part(answer, "text", f"{here}.answers[{number}]")
    return {
        "text": [answer["text"] for answer in given],
        "answer_start": [answer["answer_start"] for answer in given],
    }


def part(holder: Any, name: str, place: str) -> Any:
    if not isinstance(holder, Mapping) or name not in holder:
        has = ", ".join(map(str, holder)) if isinstance(holder, Mapping) else repr(holder)[:40]
        raise ValueError(f"{place} lacks {name!r}; it has {has}")
    return holder[name]
