"""Texts for masking stay rows, or fill blocks."""

from __future__ import annotations

from typing import Any

import torch

from nabi.data.rows import Rows
from nabi.training.tasks.fill_mask import FillMask
from nabi.training.tasks.task import TaskSettings

ROWS = Rows([{"text": "정말 좋은 영화입니다"}, {"text": "bad film"}])


def test_each_text_is_a_row_and_packed_ones_fill_blocks(tokenizer: Any) -> None:
    ids = tokenizer(list(ROWS["text"]))["input_ids"]
    kept = FillMask(TaskSettings()).encode(ROWS, tokenizer, 16)
    assert [one["input_ids"] for one in kept.examples] == ids
    packed = FillMask(TaskSettings(pack=True)).encode(ROWS, tokenizer, 4).examples
    assert sum((one["input_ids"] for one in packed), []) == sum(ids, [])
    assert all(len(one["input_ids"]) == 4 for one in packed[:-1])


def test_whole_words_are_masked_together(tokenizer: Any) -> None:
    torch.manual_seed(0)
    task = FillMask(TaskSettings(whole_words=True))
    batch = task.collator(tokenizer, None)(task.encode(ROWS, tokenizer, 16).examples * 20)
    goes_on = torch.tensor(
        [[token.startswith("##") for token in tokenizer.convert_ids_to_tokens(row)] for row in batch["labels"].clamp(min=0)]
    )
    chosen = batch["labels"] != -100
    assert goes_on[chosen].any()
    assert chosen[:, :-1][goes_on[:, 1:] & chosen[:, 1:]].all()  # the piece before a chosen piece is chosen


def test_the_example_has_a_mask(tokenizer: Any) -> None:
    assert FillMask(TaskSettings()).example(ROWS, tokenizer) == ["bad [MASK]"]
