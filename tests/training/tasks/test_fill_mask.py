"""Texts for masking stay rows, or fill blocks."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from nabi.data.rows import Rows
from nabi.training.tasks.fill_mask import FillMask
from nabi.training.tasks.task import TaskSettings

ROWS = Rows([{"text": "정말 좋은 영화입니다"}, {"text": "bad film"}])


def test_each_text_is_a_row_and_packed_ones_fill_blocks(tokenizer: Any) -> None:
    ids = tokenizer(list(ROWS["text"]))["input_ids"]
    kept = FillMask(TaskSettings()).encode(ROWS, tokenizer, 16)
    assert [one["input_ids"] for one in kept.examples] == ids
    packed = FillMask(TaskSettings(pack=True)).encode(ROWS, tokenizer, 4).examples
    assert [*chain(*(one["input_ids"] for one in packed))] == [*chain(*ids)]
    assert all(len(one["input_ids"]) == 4 for one in packed[:-1])


@pytest.mark.parametrize("whole_words", [False, True])
def test_whole_words_are_masked_if_asked_for(whole_words: bool, tokenizer: Any) -> None:
    collator = FillMask(TaskSettings(whole_words=whole_words)).collator(tokenizer, None)
    assert collator.whole_word_mask == whole_words


def test_the_example_has_a_mask(tokenizer: Any) -> None:
    assert FillMask(TaskSettings()).example(ROWS, tokenizer) == ["bad [MASK]"]
