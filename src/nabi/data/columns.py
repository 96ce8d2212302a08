"""What the columns of a table are for, and which task that makes: the guess of `nabi train`, told in one line.

    id, document, label     text-classification: text = 'document', label = 'label' (2 classes: 0, 1)

Names are known in English and Korean; where they say nothing, the contents do. A guess that could be another one is an
error that lists the columns and says how to name them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .column_names import LANGUAGES, NAMES, NO_CONTENT, PAIRS
from .labels import are_measures, listed, names_in_order, number_in
from .load import has_text
from .rows import Rows

logger = logging.getLogger(__name__)

# Task -> its roles.
TASKS: dict[str, tuple[str, ...]] = {
    "question-answering": ("question", "context", "answers"),
    "token-classification": ("tokens", "tags"),
    "translation": ("source", "target"),
    "summarization": ("document", "summary"),
    "text-classification": ("text", "text_pair", "label"),
    "text-generation": ("messages", "prompt", "completion", "text"),
    "fill-mask": ("text",),
}
LOOK_AT = 1000  # rows
MOST_CLASSES = 50


@dataclass(frozen=True)
class Guess:
    """The task, and for each role ("text", "label", …) the column that plays it.

    measures: the labels are numbers to hit (regression), and no classes. account: one line to print.
    """

    task: str
    columns: Mapping[str, str]
    measures: bool = False
    account: str = ""

    def prepared(self, rows: Rows) -> Rows:
        """The columns of the guess under the names of their roles, rows without one of them left out and counted."""
        records = [{role: row.get(column) for role, column in self.columns.items()} for row in rows]
        lacking = [place for place, record in enumerate(records) if not all(map(has_text, record.values()))]
        left_out = set(lacking)
        whole = [record for place, record in enumerate(records) if place not in left_out]
        if not whole:
            raise ValueError(f"none of the {len(records)} rows has {' and '.join(map(repr, self.columns.values()))}")
        if lacking:
            logger.warning(
                "%d of %d rows lack %s and will be left out (the first is row %d)",
                len(lacking),
                len(records),
                " or ".join(self.columns.values()),
                lacking[0],
            )
        return Rows(whole, label_names=rows.label_names)


def guess_columns(rows: Rows, task: str | None = None, **named: str | None) -> Guess:
    """What the columns of the rows are for.

    task: if it is known. named: roles that are known, as text="review", label="stars"; they must be columns.
    ValueError if nothing fits, or more than one thing does.
    """
    known = {role: column for role, column in named.items() if column is not None}
    for role, column in known.items():
        if column not in rows.columns:
            raise ValueError(f"there is no column {column!r} for {role}; the columns are {listed(rows.columns)}")
    if task is not None and task not in TASKS:
        raise ValueError(f"task is {task!r}; columns can be guessed for {', '.join(TASKS)}")
    if not len(rows):
        raise ValueError("there are no rows, so there is nothing to guess from")
    table = Table(rows)
    for name, find in FINDERS:
        if task not in (None, name) or not set(known) <= set(TASKS[name]):
            continue
        columns = find(table, known)
        if columns is not None:
            return told(Guess(name, columns), table)
    wanted = task or (f"a task with {' and '.join(known)}" if known else "any task")
    roles = TASKS[task] if task else ("text", "label")
    raise ValueError(
        f"the columns {listed(rows.columns)} do not say which is what for {wanted}: name them, as with "
        + ", ".join(f"{role}=…" for role in roles)
    )


class Table:
    """The first rows, seen by columns."""

    def __init__(self, rows: Rows) -> None:
        self.names = rows.columns
        self.label_names = rows.label_names
        first = rows[:LOOK_AT]
        self.values = {name: [row[name] for row in first if has_text(row.get(name))] for name in self.names}
        self.all_values = rows

    def named(self, role: str, known: Mapping[str, str], fits: Callable[[str], bool] | None = None) -> str | None:
        """The column whose name says the role; ValueError if two say it equally well."""
        if role in known:
            return known[role]
        for rank in NAMES[role]:
            found = [
                name
                for name in self.names
                if plain(name) in rank.split() and name not in known.values() and (fits is None or fits(name))
            ]
            if len(found) > 1:
                raise ValueError(
                    f"both {' and '.join(map(repr, found))} could be the {role}; the columns are "
                    f"{listed(self.names)}. Name it with {role}=…"
                )
            if found:
                return found[0]
        return None

    def is_text(self, name: str) -> bool:
        return bool(self.values[name]) and all(isinstance(value, str) for value in self.values[name])

    def is_list(self, name: str) -> bool:
        return bool(self.values[name]) and all(isinstance(value, list) for value in self.values[name])

    def is_label(self, name: str) -> bool:
        """Names or numbers, and few of them or all numbers."""
        values = self.values[name]
        if not values or not all(isinstance(value, (str, int, float)) for value in values):
            return False
        return self.has_few(name) or all(number_in(value) is not None for value in values)

    def has_few(self, name: str) -> bool:
        """Whether the same values come again and again."""
        values = self.values[name]
        distinct = len({str(value) for value in values})
        return 1 < distinct <= min(MOST_CLASSES, max(2, len(values) // 2))


# ---------------------------------------------------------------- one finder per task


def question_answering(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    found = {role: table.named(role, known) for role in TASKS["question-answering"]}
    answers = found["answers"]
    if answers is None or not all(isinstance(value, (Mapping, list)) for value in table.values[answers]):
        return None  # an answer as a text has no place in the context
    return complete(found)


def token_classification(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    return complete({role: table.named(role, known, table.is_list) for role in TASKS["token-classification"]})


def translation(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    if set(known) == {"source", "target"}:
        return dict(known)
    languages = [name for name in table.names if plain(name) in LANGUAGES and table.is_text(name)]
    if len(languages) == 2:
        rest = [name for name in languages if name not in known.values()]
        source = known.get("source") or rest.pop(0)
        return {"source": source, "target": known.get("target") or rest[-1]}
    return None


def summarization(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    found = {role: table.named(role, known, table.is_text) for role in TASKS["summarization"]}
    return complete(found) if found["document"] != found["summary"] else None


def text_classification(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    if "text" not in known and "text_pair" not in known:
        plain_names = {plain(name): name for name in table.names}
        pairs = [(plain_names[a], plain_names[b]) for a, b in PAIRS if a in plain_names and b in plain_names]
        if len(pairs) == 1:
            known = {"text": pairs[0][0], "text_pair": pairs[0][1], **known}
    label = table.named("label", known, table.is_label)
    text = table.named("text", {**known, **({"label": label} if label else {})}, table.is_text)
    label = label or by_content(table, "label", known, text)
    if label is None:
        return None
    text = text or by_content(table, "text", known, label)
    if text is None:
        return None
    return {"text": text, **({"text_pair": known["text_pair"]} if "text_pair" in known else {}), "label": label}


def conversation(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    """Messages, or a prompt and what is to follow it."""
    messages = table.named("messages", known, table.is_list)
    if messages is not None and set(known) <= {"messages"}:
        return {"messages": messages}
    return complete({role: table.named(role, known, table.is_text) for role in ("prompt", "completion")})


def only_text(table: Table, known: Mapping[str, str]) -> dict[str, str] | None:
    text = table.named("text", known, table.is_text) or by_content(table, "text", known, None)
    return None if text is None else {"text": text}


# Tasks in the order in which they are tried: those that names tell for certain come first.
FINDERS: list[tuple[str, Callable[[Table, Mapping[str, str]], dict[str, str] | None]]] = [
    ("question-answering", question_answering),
    ("token-classification", token_classification),
    ("translation", translation),
    ("summarization", summarization),
    ("text-generation", conversation),
    ("text-classification", text_classification),
    ("text-generation", only_text),
    ("fill-mask", only_text),
]


# ---------------------------------------------------------------- what they use


def by_content(table: Table, role: str, known: Mapping[str, str], other: str | None) -> str | None:
    """The one column whose values are like those of a text (mostly distinct) or of a label (few, again and again)."""
    taken = {*known.values(), other}
    candidates = [name for name in table.names if name not in taken and plain(name) not in NO_CONTENT]
    if role == "label":
        candidates = [name for name in candidates if table.is_label(name) and table.has_few(name)]
    else:
        candidates = [
            name
            for name in candidates
            if table.is_text(name)
            and not table.has_few(name)
            and any(number_in(value) is None for value in table.values[name])
        ]
    if len(candidates) > 1:
        raise ValueError(
            f"{' and '.join(map(repr, candidates))} could each be the {role}; the columns are {listed(table.names)}. "
            f"Name it with {role}=…"
        )
    return candidates[0] if candidates else None


def complete(found: Mapping[str, str | None]) -> dict[str, str] | None:
    columns = {role: column for role, column in found.items() if column is not None}
    return columns if len(columns) == len(found) else None


def plain(name: str) -> str:
    """Sentence_1, "sentence 1" and sentence1 are one name."""
    return re.sub(r"[\W_]+", "", str(name).casefold())


def told(guess: Guess, table: Table) -> Guess:
    """The guess with its account."""
    parts = [f"{role} = {column!r}" for role, column in guess.columns.items()]
    if guess.task == "text-classification":
        column = guess.columns["label"]
        values = [value for value in table.all_values[column] if has_text(value)]
        measures = are_measures(values) and table.label_names is None
        names: Sequence[Any] = table.label_names or names_in_order(values)
        kind = "numbers: a regression" if measures else f"{len(names)} classes: {listed(names)}"
        parts[-1] += f" ({kind})"
        guess = replace(guess, measures=measures)
    return replace(guess, account=f"{guess.task}: {', '.join(parts)}")
