"""BERT's two steps in plain Python, for code that calls them itself: words by character class, then WordPiece.

Source: https://github.com/google-research/bert (tokenization). nabi's tokenizers do the same in Rust.
"""

from __future__ import annotations

import os
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

_CJK = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)  # Han; Hangul and kana are written with blanks, or cut by the vocabulary


def _is_whitespace(char: str) -> bool:
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def _is_control(char: str) -> bool:
    return char not in "\t\n\r" and unicodedata.category(char).startswith("C")


def _is_punctuation(char: str) -> bool:
    """Unicode's punctuation, and every visible ASCII character that is neither letter nor digit."""
    return (char.isascii() and char.isprintable() and not char.isalnum() and char != " ") or unicodedata.category(
        char
    ).startswith("P")


def whitespace_tokenize(text: str) -> list[str]:
    return text.split()


def words_with_places(text: str) -> tuple[list[str], list[int]]:
    """The words of a text, and for each character the number of the word that it is in, or that stands before it."""
    words: list[str] = []
    places: list[int] = []
    inside = False
    for char in text:
        blank = _is_whitespace(char) or char == "\u202f"
        if not blank and inside:
            words[-1] += char
        elif not blank:
            words.append(char)
        inside = not blank
        places.append(len(words) - 1)
    return words, places


def load_vocab(vocab_file: str | os.PathLike[str]) -> OrderedDict[str, int]:
    """Token -> id, by the lines of a vocab.txt."""
    lines = Path(vocab_file).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return OrderedDict((line, number) for number, line in enumerate(lines))


class BasicTokenizer:
    """Text -> words: control characters out, blanks and punctuation apart, Han characters alone, lower case if asked.

    never_split: words that stay as they are. strip_accents: None means as do_lower_case.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        do_split_on_punc: bool = True,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.never_split = set(never_split or ())
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents
        self.do_split_on_punc = do_split_on_punc

    def tokenize(self, text: str, never_split: Iterable[str] | None = None) -> list[str]:
        kept = self.never_split.union(never_split or ())
        clean = "".join(
            " " if _is_whitespace(char) else char for char in text if char not in "\0\ufffd" and not _is_control(char)
        )
        if self.tokenize_chinese_chars:
            clean = "".join(f" {char} " if _is_han(char) else char for char in clean)
        words = unicodedata.normalize("NFC", clean).split()
        return [piece for word in words for piece in self._pieces(word, kept)]

    def _pieces(self, word: str, kept: set[str]) -> list[str]:
        if word in kept:
            return [word]
        if self.do_lower_case:
            word = word.lower()
        if self.strip_accents or (self.strip_accents is None and self.do_lower_case):
            word = "".join(char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")
        if not self.do_split_on_punc:
            return word.split()
        return "".join(f" {char} " if _is_punctuation(char) else char for char in word).split()


def _is_han(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _CJK)


class WordpieceTokenizer:
    """A word -> the longest pieces of the vocabulary from the left; one that cannot be cut so is unk_token."""

    def __init__(self, vocab: Iterable[str], unk_token: str, max_input_chars_per_word: int = 100) -> None:
        self.vocab = vocab if isinstance(vocab, (dict, set)) else set(vocab)
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word

    def tokenize(self, text: str) -> list[str]:
        return [piece for word in text.split() for piece in self._pieces(word)]

    def _pieces(self, word: str) -> list[str]:
        if len(word) > self.max_input_chars_per_word:
            return [self.unk_token]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            before = "##" if start else ""
            end = next((end for end in range(len(word), start, -1) if before + word[start:end] in self.vocab), None)
            if end is None:
                return [self.unk_token]
            pieces.append(before + word[start:end])
            start = end
        return pieces


def bytes_to_unicode() -> dict[int, str]:
    """GPT-2's printable letter of each byte."""
    from .bpe_steps import byte_of_letter

    return {byte: letter for letter, byte in byte_of_letter().items()}


def get_pairs(word: tuple[str, ...] | str) -> set[tuple[str, str]]:
    """The neighbours in a word of several symbols."""
    return set(pairwise(word))
