"""Byte-pair encoding, learned step by step in plain Python: to read and to watch.

Start with the letters (here: the 256 bytes). Count every pair of neighbours in the words of the corpus, write the
commonest as one new piece, and count again. Each step is one merge, and the merges in their order are the tokenizer.

    ㅣ안 녕ㅣ  ㅣ안 녕 하 세 요ㅣ   ->   (안, 녕) stands there twice   ->   ㅣ안녕ㅣ  ㅣ안녕 하 세 요ㅣ

The merges are those of the engine's trainer (`tokenizers.trainers.BpeTrainer`), which is many times faster. Among
pairs of equal count it takes the one with the lower ids: first the older left piece, then the older right one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast

Pair = tuple[int, int]


class Merge(NamedTuple):
    """One step: the pair of neighbouring pieces, how often it stood in the corpus, and the piece that it becomes."""

    pair: tuple[str, str]
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    piece: str


class BpeSteps(Iterator[Merge]):
    """The merges, one at a time, as `for step in steps`; `steps.tokenizer` knows those that have come so far.

    So after the loop it is the finished tokenizer, and if you stop after ten merges you can try what ten are worth.
    """

    def __init__(
        self,
        words: dict[str, int],
        vocabulary: list[str],
        vocab_size: int,
        min_frequency: int,
        build: Callable[[dict[str, int], list[tuple[str, str]]], PreTrainedTokenizerFast],
    ) -> None:
        self._pieces = vocabulary
        self._learned: list[tuple[str, str]] = []
        self._steps = learn(words, vocabulary, vocab_size, min_frequency)
        self._build = build

    def __next__(self) -> Merge:
        left, right, count = next(self._steps)
        self._learned.append((left, right))
        return Merge((as_text(left), as_text(right)), count, as_text(left + right))

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """A PreTrainedTokenizerFast with the merges that this object has given out."""
        return self._build({piece: index for index, piece in enumerate(self._pieces)}, self._learned)


def learn(
    words: dict[str, int], pieces: list[str], vocab_size: int, min_frequency: int
) -> Iterator[tuple[str, str, int]]:
    """Yield (left, right, count) for each merge, until `pieces`, which grows in place, has `vocab_size` entries.

    `words` says how often each word stands in the corpus. `pieces` must hold every letter of them; a piece's
    place in it is its id.
    """
    ids = {piece: index for index, piece in enumerate(pieces)}
    rows = [[ids[letter] for letter in word] for word in words]
    counts = list(words.values())
    totals: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # in which words a pair stands
    for index, row in enumerate(rows):
        for pair in pairwise(row):
            totals[pair] += counts[index]
            places[pair].add(index)
    queue = [(-totals[pair], pair, found) for pair, found in places.items()]
    heapify(queue)
    while queue and len(pieces) < vocab_size:
        negative, pair, found = heappop(queue)
        if totals[pair] != -negative:  # earlier merges took neighbours away since it was queued
            heappush(queue, (-totals[pair], pair, found))
            continue
        if totals[pair] < max(1, min_frequency):
            return
        left, right = pieces[pair[0]], pieces[pair[1]]
        new = ids.setdefault(left + right, len(pieces))
        if new == len(pieces):
            pieces.append(left + right)
        yield left, right, totals[pair]
        grown: defaultdict[Pair, set[int]] = defaultdict(set)
        for index in found:
            for changed, by in merge(rows[index], pair, new):
                totals[changed] += by * counts[index]
                if by > 0:
                    grown[changed].add(index)
        for changed, found in grown.items():
            if totals[changed] > 0:
                heappush(queue, (-totals[changed], changed, found))


def merge(row: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Write `new` wherever the pair stands in the row, in place; return which pairs came (1) and which went (-1)."""
    changes = []
    index = 0
    while index < len(row) - 1:
        if (row[index], row[index + 1]) == pair:
            row[index : index + 2] = [new]
            if index > 0:
                before = row[index - 1]
                changes += [((before, pair[0]), -1), ((before, new), 1)]
            if index + 1 < len(row):
                after = row[index + 1]
                changes += [((pair[1], after), -1), ((new, after), 1)]
        index += 1
    return changes


def count_words(texts: Iterable[str], split: Callable[[str], list[str]]) -> dict[str, int]:
    """Word -> how often it stands in the texts."""
    return Counter(word for text in texts for word in split(text))


@cache
def byte_of_letter() -> dict[str, int]:
    """GPT-2's alphabet: each byte is a printable letter, itself if it is one in Latin-1, else one from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


def as_text(piece: str) -> str:
    """What a byte-level piece spells; bytes that are only part of a letter look as Python writes them: \\xec\\x95."""
    table = byte_of_letter()
    return bytes(table[letter] for letter in piece).decode("utf-8", "backslashreplace")
