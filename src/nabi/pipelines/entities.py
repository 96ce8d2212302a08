"""Tokens to words, and words to the things that a text names: for token-classification.

서 ##울 ##에 | 사 ##는 | 김 ##민 ##수        words: what goes on with a word is joined to it
B-LOC         | O      | B-PER            groups: neighbours of one label are one thing
"""

from __future__ import annotations

from typing import Any

Span = tuple[int, int]  # characters from, up to but without


def touches(text: str, before: Span, place: Span) -> bool:
    """Whether a token goes on with the word at `before`: nothing blank lies between the letters of the two.

    Places may include the blank before a word, and tokens that are bytes of one letter, or a word's mark alone, share
    their place with what follows.
    """
    (_, end), (start, stop) = visible(text, before), visible(text, place)
    if not text[slice(*before)].strip():  # the mark of a word's beginning, alone
        return True
    return start < stop and not any(letter.isspace() for letter in text[end:start])


def visible(text: str, place: Span) -> Span:
    """A place without the blanks around what is in it."""
    part = text[slice(*place)]
    return place[0] + len(part) - len(part.lstrip()), place[1] - len(part) + len(part.rstrip())


def words(tokens: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Tokens in lists of those that make up a word."""
    found: list[list[dict[str, Any]]] = []
    for token in tokens:
        if token["goes_on"] and found:
            found[-1].append(token)
        else:
            found.append([token])
    return found


def groups(entities: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Neighbours of one label together; B- begins a new group, I- and labels without either go on."""
    found: list[list[dict[str, Any]]] = []
    last = None
    for entity in entities:
        label = entity["entity"]
        tag = label[2:] if label.startswith(("B-", "I-")) else label
        if found and tag == last and not label.startswith("B-"):
            found[-1].append(entity)
        else:
            found.append([entity])
        last = tag
    return found


def best_of_overlapping(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of findings that overlap the longest, then the surest."""
    kept: list[dict[str, Any]] = []
    for entity in sorted(entities, key=lambda one: one["start"]):
        last = kept[-1] if kept else None
        if last is None or not last["start"] <= entity["start"] < last["end"]:
            kept.append(entity)
        elif (entity["end"] - entity["start"], entity["score"]) > (last["end"] - last["start"], last["score"]):
            kept[-1] = entity
    return kept
