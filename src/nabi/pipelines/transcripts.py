"""What Whisper wrote, as ids -> text, stretches or words with their times; parts of a sound that overlap are joined.

    part 1   <|0.00|> 안녕하세요. <|1.20|> <|1.20|> 오늘은 날씨가       <|2.90|>
    part 2                             <|0.20|> 오늘은 날씨가 좋네요. <|1.80|>
    text     안녕하세요. 오늘은 날씨가 좋네요.

Times within the overlap of two parts end no stretch: the texts of both are laid over each other first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from ..tokenization.families.whisper import LANGUAGES
from .spoken_words import words_of

logger = logging.getLogger(__name__)

WINDOW = 1500  # steps of time in what the model hears at once
FAVOUR = 10000.0  # so much less than a share of matching ids counts the length of an overlap

Token = tuple[int, tuple[float, float]]  # an id, and when it was spoken


@dataclass
class Part:
    """What was written for one part of a sound. In seconds: times, of each id; stride, the part's length and how much
    of it at the begin and at the end its neighbours hear too."""

    ids: list[int]
    times: list[float] | None = None
    stride: tuple[float, float, float] | None = None


@dataclass
class Stretch:
    """What is spoken between two times, None where the model wrote none. written: by each part that it goes through."""

    language: str | None
    begin: float | None = None
    end: float | None = None
    written: list[list[Token]] = field(default_factory=list)


class Transcript:
    """Reads the parts of one sound in their order. step: the seconds from one time token to the next."""

    def __init__(self, tokenizer: Any, step: float, split_languages: bool) -> None:
        self.tokenizer = tokenizer
        self.step = step
        self.split_languages = split_languages
        self.special = set(tokenizer.all_special_ids)
        self.first: int = tokenizer.convert_tokens_to_ids("<|notimestamps|>") + 1  # the id of <|0.00|>
        known = tokenizer.get_vocab()
        self.languages = {known[f"<|{code}|>"]: name for code, name in LANGUAGES.items() if f"<|{code}|>" in known}
        self.done: list[Stretch] = []
        self.open = Stretch(None)
        self.language: str | None = None  # the last that was spoken
        self.offset = 0.0  # when the part at hand begins
        self.skips = False  # whether the next time belongs to one that stands in an overlap

    def add(self, part: Part) -> None:
        length, left, right = part.stride or (0.0, 0.0, 0.0)
        self.offset -= left
        earliest = self.first + left / self.step
        latest = self._latest(part.ids, length - right) if right else None
        clock = Clock(part.ids, self.first, self.step)
        written: list[Token] = []
        for i, token in enumerate(part.ids):
            if token in self.special:
                written = self._hear_language(token, written)
            elif token >= self.first:
                time = round(clock.seconds(i) + self.offset + clock.windows, 2)
                if latest is not None and token >= latest:
                    self.skips = True  # times come in pairs, and its other half is skipped too
                elif self.skips or (self.open.written and token < earliest):
                    self.skips = False
                elif self.open.begin is None:
                    self.open.begin = time
                elif time != self.open.begin:  # the same once more would be a begin again
                    self.open.end = time
                    self._close(written)
                    written = []
            else:
                written.append((token, self._span(part.times, i)))
        self.offset += length - right
        if written:
            self.open.written.append(written)
        elif not any(self.open.written):
            self.open = Stretch(self.language)

    def finish(self) -> list[Stretch]:
        """The stretches of the whole sound; the last one has no end where the model did not write it."""
        if self.open.written:
            self.done.append(self.open)
        return self.done

    def _close(self, written: list[Token]) -> None:
        self.open.written.append(written)
        self.done.append(self.open)
        self.open = Stretch(self.language)

    def _hear_language(self, token: int, written: list[Token]) -> list[Token]:
        """Take in a special token; what is written of the open stretch after it."""
        language = self.languages.get(token)
        if language is None:
            return written
        if self.split_languages and self.language and language != self.language:
            self._close(written)
            written = []
        self.open.language = self.language = language
        return written

    def _latest(self, ids: list[int], overlap: float) -> int | None:
        """The first of the times in the part's overlap with the next one, which begins at second `overlap`; where there
        is none, the part's last time."""
        latest = None
        for token in reversed(ids):
            if token >= self.first:
                if latest is not None and (token - self.first) * self.step < overlap:
                    break
                latest = token
        return latest

    def _span(self, times: list[float] | None, i: int) -> tuple[float, float]:
        """From the token before to this one."""
        if times is None:
            return (0.0, 0.0)
        return round((times[i - 1] if i else 0.0) + self.offset, 2), round(times[i] + self.offset, 2)


class Clock:
    """The times of one part. Of a long sound they begin again with every window that was written on its own."""

    def __init__(self, ids: list[int], first: int, step: float) -> None:
        self.ids, self.first, self.step = ids, first, step
        self.windows = 0.0  # seconds of the windows that are over
        self.last = self.before_last = 0.0

    def seconds(self, i: int) -> float:
        """The time at place i, from the begin of its window."""
        time = (self.ids[i] - self.first) * self.step
        if time < self.last:
            if i >= 2 and not (self.ids[i - 1] >= self.first and self.ids[i - 2] >= self.first):
                self.windows += self.step * WINDOW  # it ended in a single time: all of it is over
            else:
                self.last = self.before_last
                self.windows += self.before_last
        self.before_last, self.last = self.last, time
        return time


def told(tokenizer: Any, parts: list[Part], step: float, times: bool | str | None, languages: bool) -> dict[str, Any]:
    """{"text"} of a sound's parts; with times or languages "chunks" too: {"language", "timestamp", "text"}, of words
    with times "word", else of stretches."""
    transcript = Transcript(tokenizer, step, split_languages=not times)
    for part in parts:
        transcript.add(part)
    stretches = transcript.finish()
    if times and stretches and stretches[-1].end is None:
        logger.warning("The last words have no time at their end: the sound may be cut off in a word.")
    tokens = [joined(stretch.written) for stretch in stretches]
    texts = [tokenizer.decode([token for token, _ in each]) for each in tokens]
    result: dict[str, Any] = {"text": "".join(texts)}
    if times == "word":
        result["chunks"] = [
            {"text": text, "timestamp": (each[first][1][0], each[last][1][1])}
            | ({"language": stretch.language} if languages else {})
            for stretch, each in zip(stretches, tokens, strict=True)
            for text, first, last in words_of(tokenizer, [token for token, _ in each], stretch.language)
        ]
    elif times or languages:
        result["chunks"] = [
            ({"language": stretch.language} if languages else {})
            | ({"timestamp": (stretch.begin, stretch.end)} if times else {})
            | {"text": text}
            for stretch, text in zip(stretches, texts, strict=True)
        ]
    return result


def joined(written: list[list[Token]]) -> list[Token]:
    """One text of several that overlap: at each overlap the first is believed up to its middle, the next from there."""
    whole: list[Token] = []
    left = written[0]
    for right in written[1:]:
        (begin, end), (start, stop) = overlap(left, right)
        whole += left[: (begin + end) // 2]
        left = right[(start + stop) // 2 :]
    return whole + left


def overlap(left: list[Token], right: list[Token]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where `left` (from, to) has what `right` (from, to) has: as `right` is shifted over `left`, the place where most
    ids match, and more than one. A match must not go back in time."""
    found, best = ((len(left), len(left)), (0, 0)), 0.0
    for shift in range(1, len(left) + len(right)):
        begin, end = max(0, len(left) - shift), min(len(left), len(left) + len(right) - shift)
        start, stop = max(0, shift - len(left)), min(len(right), shift)
        pairs = zip(left[begin:end], right[start:stop], strict=True)
        matches = sum(one[0] == other[0] and one[1] <= other[1] for one, other in pairs)
        share = matches / shift + shift / FAVOUR
        if matches > 1 and share > best:
            found, best = ((begin, end), (start, stop)), share
    return found
