"""T5's objective: every token stands on one side or the other, and the sentinels tell where."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, processors

import nabi
from nabi.training.collators import DataCollatorForSpanCorruption, span_corruption_lengths

WORDS = 300


@cache
def tokenizer(sentinels: int = 100) -> Any:
    """Tokens w0 … w299, and T5's special ones; every text ends in </s>."""
    vocabulary = {token: i for i, token in enumerate(["<pad>", "</s>", "<unk>", *(f"w{n}" for n in range(WORDS))])}
    engine = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    engine.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    made = nabi.PreTrainedTokenizerFast(tokenizer_object=engine, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    names = [f"<extra_id_{n}>" for n in reversed(range(sentinels))]  # T5's count down
    made.add_special_tokens({"additional_special_tokens": names})
    return made


def restored(inputs: list[int], labels: list[int], sentinels: list[int]) -> list[int]:
    """The text: each sentinel of the inputs replaced by what follows it in the labels."""
    spans: dict[int, list[int]] = {}
    for token in labels[:-1]:
        if token in sentinels:
            spans[token] = []
        else:
            spans[list(spans)[-1]].append(token)
    assert inputs[-1] == labels[-1] == 1
    found = [token for token in inputs[:-1] if token in sentinels]
    assert found == list(spans) == sentinels[: len(found)] and all(spans.values())
    return [piece for token in inputs[:-1] for piece in spans.get(token, [token])]


@pytest.mark.parametrize("density", [0.15, 0.5])
@pytest.mark.parametrize("length", [2, 3, 10, 128, 250])
def test_inputs_and_labels_make_the_text_again(length: int, density: float) -> None:
    collate = DataCollatorForSpanCorruption(tokenizer(), noise_density=density, seed=0)
    texts = [list(range(3, 3 + length)), list(range(5, 7))]
    for _ in range(5):
        batch = collate([{"input_ids": [*text, 1]} for text in texts])
        for row, text in enumerate(texts):
            inputs = batch["input_ids"][row][batch["attention_mask"][row] == 1].tolist()
            labels = [token for token in batch["labels"][row].tolist() if token != -100]
            assert restored(inputs, labels, collate.sentinels) == text
            assert inputs[0] == text[0] and labels[-2] == text[-1]  # it begins kept and ends in a span
            noisy = sum(token not in collate.sentinels for token in labels) - 1
            assert noisy == min(max(round(len(text) * density), 1), len(text) - 1)


def test_spans_are_of_the_mean_length_that_is_asked_for() -> None:
    mask = DataCollatorForSpanCorruption(tokenizer(), mean_noise_span_length=4.0, seed=0).noise_mask(400)
    assert mask.sum() == 60 and (mask[1:] & ~mask[:-1]).sum() == 15


def test_texts_of_the_told_length_fill_the_asked_lengths() -> None:
    assert span_corruption_lengths(512) == (568, 114)  # the numbers of T5's own pre-training
    tokens, target = span_corruption_lengths(128)
    collate = DataCollatorForSpanCorruption(tokenizer(), input_length=128, target_length=target, seed=1)
    batch = collate([list(range(3, 3 + tokens))] * 3)
    assert batch["attention_mask"].all() and (batch["labels"] != -100).all()
    assert len({tuple(row) for row in batch["input_ids"].tolist()}) == 3
    with pytest.raises(ValueError, match=r"'input_ids' of example 0 has .* more than the 128"):
        collate([list(range(3, 203))])


def test_the_global_generator_decides_without_a_seed() -> None:
    collate = DataCollatorForSpanCorruption(tokenizer(), return_tensors="np")
    rows = [list(range(3, 103))]
    torch.manual_seed(0)
    first = collate(rows)["input_ids"].tolist()
    assert collate(rows)["input_ids"].tolist() != first
    torch.manual_seed(0)
    assert collate(rows)["input_ids"].tolist() == first


def test_what_cannot_be_corrupted_is_said() -> None:
    with pytest.raises(ValueError, match="no sentinels <extra_id_0>"):
        DataCollatorForSpanCorruption(tokenizer(0))
    with pytest.raises(ValueError, match="12 spans, but the tokenizer only 4 sentinels"):
        DataCollatorForSpanCorruption(tokenizer(4))([list(range(3, 243))])
    with pytest.raises(ValueError, match="example 1 of the batch has 1 tokens"):
        DataCollatorForSpanCorruption(tokenizer())([[5, 6, 1], [5, 1]])
    with pytest.raises(ValueError, match="noise_density is 0"):
        DataCollatorForSpanCorruption(tokenizer(), noise_density=0)
    with pytest.raises(ValueError, match=r"mean_noise_span_length is 0\.5"):
        DataCollatorForSpanCorruption(tokenizer(), mean_noise_span_length=0.5)
