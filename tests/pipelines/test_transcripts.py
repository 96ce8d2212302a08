"""Whisper's ids become the text, the stretches and the words that the incumbent makes of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from nabi.pipelines.spoken_words import words_of
from nabi.pipelines.transcripts import Part, Token, joined, told
from nabi.tokenization import AutoTokenizer

from .speech_models import LINES, STEPS, save_whisper_tokenizer

STEP = 0.02


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder: Path = tmp_path_factory.mktemp("whisper")
    save_whisper_tokenizer(folder)
    return AutoTokenizer.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)


def written(choose: random.Random, tokenizer: Any, text: list[int], languages: bool) -> list[int]:
    """What Whisper could write of one part: perhaps a language, then texts between times, perhaps cut short."""
    first = tokenizer.convert_tokens_to_ids("<|notimestamps|>") + 1
    row: list[int] = []
    if languages and choose.random() < 0.7:
        row = [tokenizer.convert_tokens_to_ids(choose.choice(["<|ko|>", "<|en|>", "<|zh|>"]))]
    begin = choose.randint(0, len(text) // 2)
    time = choose.randint(0, 8)
    for _ in range(choose.randint(0, 4)):
        length = choose.randint(0, 6)
        end = min(STEPS, time + choose.randint(0, 20))
        stretch = text[begin : begin + length]
        row += [first + time, *stretch, first + end] if choose.random() < 0.9 else stretch
        begin, time = begin + length, end if choose.random() < 0.8 else choose.randint(0, STEPS)
    row = row[: len(row) - choose.choice([0, 0, 1, 2])]
    return [*row, tokenizer.eos_token_id] if choose.random() < 0.5 else row


@pytest.mark.parametrize("times", [None, True, "word"])
@pytest.mark.parametrize("languages", [False, True])
def test_parts_are_joined_as_the_incumbent_joins_them(both: tuple[Any, Any], times: Any, languages: bool) -> None:
    ours, theirs = both
    lines = [ours(line, add_special_tokens=False)["input_ids"] for line in LINES]
    with_chunks = 0
    for seed in range(400):
        choose = random.Random(seed)
        text = choose.choice(lines)
        parts, outputs = [], []
        strided = choose.random() < 0.8
        count = choose.randint(1, 4) if strided else 1
        for number in range(count):
            ids = written(choose, ours, text, languages)
            spoken = [round(place * 0.05 + choose.random() * 0.04, 2) for place in range(len(ids))]
            stride = (1.0, 0.2 if number else 0.0, 0.2 if number < count - 1 else 0.0) if strided else None
            parts.append(Part(ids, spoken if times == "word" else None, stride))
            output: dict[str, Any] = {"tokens": torch.tensor([ids], dtype=torch.long)}
            if stride is not None:
                output["stride"] = stride
            if times == "word":
                output["token_timestamps"] = torch.tensor([spoken], dtype=torch.float64)
            outputs.append(output)
        result = told(ours, parts, STEP, times, languages)
        expected, optional = theirs._decode_asr(
            outputs, return_timestamps=times, return_language=languages, time_precision=STEP
        )
        assert result == {"text": expected, **optional}, seed
        with_chunks += len(result.get("chunks", [])) > 1
    assert with_chunks > 100 or not (times or languages)


TEXTS = [
    *LINES[:4],
    ' 그는 "좋아" (정말) 하고 말했다...',
    "a 'b' - c, ¿d? [e] {f}",
    "한국어와 English, 섞인 문장!",
    " ",
    "'\"(",
    "",
]


@pytest.mark.parametrize("language", [None, "korean", "english", "chinese", "japanese"])
@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_the_incumbent(both: tuple[Any, Any], text: str, language: str | None) -> None:
    from transformers.models.whisper.tokenization_whisper import _combine_tokens_into_words

    ours, theirs = both
    for spaced in (text, " " + text):
        ids = ours(spaced, add_special_tokens=False)["input_ids"]
        for cut in (ids, ids[1:], ids[:-1]):  # a cut may go through a letter
            words, _, places = _combine_tokens_into_words(theirs, cut, language)
            found = words_of(ours, cut, language)
            assert [word for word, *_ in found] == words
            assert [(first, last) for _, first, last in found] == [(each[0], each[-1]) for each in places]


def tokens(*ids: int) -> list[Token]:
    return [(token, (0.0, 0.0)) for token in ids]


def test_an_overlap_is_written_once() -> None:
    assert joined([tokens(1, 2, 3, 4, 5), tokens(3, 4, 5, 6), tokens(5, 6, 7)]) == tokens(1, 2, 3, 4, 5, 6, 7)
    assert joined([tokens(1, 2), tokens(3, 4)]) == tokens(1, 2, 3, 4), "nothing in common: one behind the other"


@settings(deadline=None)
@given(st.lists(st.integers(), unique=True, min_size=20, max_size=40), st.integers(3, 8))
def test_a_text_cut_into_parts_that_overlap_is_whole_again(ids: list[int], shared: int) -> None:
    parts = [tokens(*ids[begin : begin + 2 * shared]) for begin in range(0, len(ids) - shared, shared)]
    assert joined(parts) == tokens(*ids)
