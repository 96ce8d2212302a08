"""What may be tokenized: a text, many, pairs, or texts that are already split into words; and what may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def as_rows(text: Any, text_pair: Any, pretokenized: bool) -> tuple[list[Any], bool]:
    """The engine's rows (texts or pairs), and whether the caller gave many. Raises TypeError or ValueError."""
    text, text_pair = _as_list(text, "text"), _as_list(text_pair, "text_pair")
    if pretokenized:
        if isinstance(text, str):
            raise TypeError(
                f"is_split_into_words=True takes a list of words, not the str {_shown(text)}: split it first."
            )
        many = len(text) > 0 and isinstance(text[0], (list, tuple))
    else:
        many = not isinstance(text, str)
    if not many:
        return [(text, text_pair)] if text_pair else [text], False
    if not text:
        raise ValueError("There is no text to tokenize: the list is empty. Leave out empty batches.")
    if text_pair is None:
        return text, True
    if isinstance(text_pair, str):
        raise TypeError("text is a list, so text_pair must be a list of as many texts, not one str.")
    if len(text) != len(text_pair):
        raise ValueError(
            f"text has {len(text)} items and text_pair {len(text_pair)}: give one pair text for each text."
        )
    return list(zip(text, text_pair, strict=True)), True


def is_pair(row: Any, pretokenized: bool) -> bool:
    """Whether a row of `as_rows` is a pair of texts, not one text or its words."""
    if isinstance(row, str) or not isinstance(row, (list, tuple)) or len(row) != 2:
        return False
    return not pretokenized or isinstance(row[0], (list, tuple))


def explain_bad_text(rows: list[Any], pretokenized: bool) -> Exception | None:
    """The error for the first row that the engine refuses, or None if none of them looks wrong."""
    for index, row in enumerate(rows):
        error = _explain_row(row, f"text {index}", pretokenized)
        if error is not None:
            return error
    return None


def _explain_row(row: Any, place: str, pretokenized: bool) -> Exception | None:
    if isinstance(row, str) and not pretokenized:
        return _explain_str(row, place)
    if not isinstance(row, (list, tuple)):
        wanted = "a list of words (is_split_into_words=True)" if pretokenized else "a str, or a pair of str"
        return TypeError(f"{place} is {_shown(row)} ({type(row).__name__}), but it must be {wanted}.")
    if pretokenized:
        nested = bool(row) and isinstance(row[0], (list, tuple))
        words = [word for part in row for word in part] if nested else row
    elif len(row) == 2:
        words = row
    else:
        return TypeError(
            f"{place} is a list of {len(row)} items: a row must be a str, or a pair of two str. If these are words, "
            "pass is_split_into_words=True."
        )
    for number, word in enumerate(words):
        part = f"{place}, {'word' if pretokenized else 'part'} {number}"
        if not isinstance(word, str):
            return TypeError(f"{part} is {_shown(word)} ({type(word).__name__}), but it must be a str.")
        error = _explain_str(word, part)
        if error is not None:
            return error
    return None


def _explain_str(text: str, place: str) -> Exception | None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return ValueError(
            f"{place} holds half a character at position {error.start} (a lone surrogate, {text[error.start]!r}), "
            "which no tokenizer can read: clean it with text.encode('utf-8', 'replace').decode()."
        )
    return None


def _as_list(value: Any, name: str) -> Any:
    """Lists, and what is like one (tuples, arrays, columns of a table), as lists; a str and None as they are."""
    if value is None or isinstance(value, (str, list)):
        return value
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return list(value)
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:  # NumPy arrays, pandas columns
        return value.tolist()
    raise TypeError(
        f"{name} is {_shown(value)} ({type(value).__name__}), but it must be a str, a list of str, a list of pairs, or "
        "(with is_split_into_words=True) lists of words."
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
