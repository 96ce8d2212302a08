"""Whisper's ids -> words, each with the marks that belong to it: (text, place of its first id, place of its last).

" 안", "녕", "하세요", "."  ->  (" 안녕하세요.", 0, 3)
"""

from __future__ import annotations

from typing import Any

Word = tuple[str, int, int]

UNSPACED = frozenset(("chinese", "japanese", "thai", "lao", "myanmar", "cantonese"))
OPENING = "\"'“¡¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"
MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def words_of(tokenizer: Any, ids: list[int], language: str | None) -> list[Word]:
    """The words of a text in a language, None: the tokenizer's. Without spaces each letter is a word."""
    words = letters_of(tokenizer, ids)
    if (language or tokenizer.language or "english") not in UNSPACED:
        words = between_spaces(words)
    return with_closing_marks(with_opening_marks(words))


def letters_of(tokenizer: Any, ids: list[int]) -> list[Word]:
    """The shortest runs of ids that are whole letters: an id may be a piece of one."""
    whole = tokenizer.decode(ids, decode_with_timestamps=True)
    words: list[Word] = []
    first = length = 0
    for last in range(len(ids)):
        text = tokenizer.decode(ids[first : last + 1], decode_with_timestamps=True)
        broken = text.find("\ufffd")
        # What is broken in the whole text too will not be mended by further ids.
        if broken < 0 or length + broken >= len(whole) or whole[length + broken] == "\ufffd":
            words.append((text, first, last))
            first = last + 1
            length += len(text)
    return words


def between_spaces(pieces: list[Word]) -> list[Word]:
    """Pieces with no space before them go to the word before, but for marks."""
    words: list[Word] = []
    for piece in pieces:
        if words and not piece[0].startswith(" ") and piece[0].strip() not in MARKS:
            words[-1] = _both(words[-1], piece)
        else:
            words.append(piece)
    return words


def with_opening_marks(words: list[Word]) -> list[Word]:
    """Brackets and quotes that open go to the word behind them."""
    kept: list[Word] = []
    for word in reversed(words):
        if kept and word[0].startswith(" ") and word[0].strip() in OPENING:
            kept[-1] = _both(word, kept[-1])
        else:
            kept.append(word)
    return kept[::-1]


def with_closing_marks(words: list[Word]) -> list[Word]:
    """Full stops, brackets that close and the like go to the word before them."""
    kept: list[Word] = []
    for word in words:
        if kept and not kept[-1][0].endswith(" ") and word[0] in CLOSING:
            kept[-1] = _both(kept[-1], word)
        else:
            kept.append(word)
    return kept


def _both(one: Word, other: Word) -> Word:
    return one[0] + other[0], one[1], other[2]
