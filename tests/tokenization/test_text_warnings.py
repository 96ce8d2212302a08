"""A text that the vocabulary loses, or that is too long for the model, is told of once, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from nabi.tokenization import AutoTokenizer, PreTrainedTokenizerFast

LOST: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unknown": ("뛟쁾", {}, "'뛟쁾' became nothing but the unknown token"),
    "unknown among others": (["영화는", "뛟 쁾 쨿"], {"padding": True}, "'뛟 쁾 쨿' became nothing but"),
    "unknown, padded left": (
        ["이 영화는 정말", "뛟"],
        {"padding": True, "padding_side": "left"},
        "'뛟' became nothing",
    ),
    "unknown words": ([["뛟", "쁾"]], {"is_split_into_words": True}, "'뛟 쁾' became"),
    "unknown in pieces": ("뛟 " * 20, {"truncation": True, "max_length": 8, "return_overflowing_tokens": True}, "뛟"),
    "without frame": ("뛟", {"add_special_tokens": False}, "'뛟' became nothing but"),
    "nothing": ("\u200b\u0007", {}, "became no token at all"),
    "nothing among others": (["영화는", "\u0007"], {"padding": True}, "became no token at all"),
}
FOUND: dict[str, tuple[Any, dict[str, Any]]] = {
    "known": ("이 영화는 최고예요!", {}),
    "the unknown token itself": ("[UNK]", {}),
    "one unknown word": ("뛟 영화는 최고예요", {}),
    "unknown at both ends": ("뛟 뛟 영화는 뛟 뛟", {}),
    "empty and blank": (["", "  ", "\t\n"], {"padding": True}),
    "a pair of which one is unknown": ([("뛟", "영화는")], {}),
}


@pytest.mark.parametrize("case", LOST)
def test_a_text_of_which_nothing_is_left_is_named_once(
    folders: dict[str, Path], case: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, options, words = LOST[case]
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    for _ in range(2):
        tokenizer(text, **options)
    assert len(caplog.messages) == 1
    assert words in caplog.messages[0]


@pytest.mark.parametrize("case", FOUND)
def test_a_text_that_is_known_in_part_or_blank_is_passed_in_silence(
    folders: dict[str, Path], case: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, options = FOUND[case]
    AutoTokenizer.from_pretrained(folders["wordpiece"])(text, **options)
    assert caplog.messages == []


def test_a_text_longer_than_the_model_is_told_of_once(
    folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"], model_max_length=5)
    tokenizer("이 영화는 정말 최고예요!", verbose=False)
    assert caplog.messages == []
    for _ in range(2):
        tokenizer("이 영화는 정말 최고예요!")
    assert len(caplog.messages) == 1
    assert "at most 5 (model_max_length)" in caplog.messages[0]


def test_a_pair_whose_types_are_left_out_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    engine = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4}, "[UNK]"))
    engine.pre_tokenizer = pre_tokenizers.Whitespace()
    frame = "[CLS] $A [SEP]"
    special = [("[CLS]", 1), ("[SEP]", 2)]
    engine.post_processor = processors.TemplateProcessing(frame, f"{frame} $B:1 [SEP]:1", special)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=engine)
    tokenizer("a")
    assert not caplog.records
    tokenizer("a", "b")
    tokenizer(["a"], ["b"])
    assert [record.message.startswith("Pairs are framed with token types") for record in caplog.records] == [True]
    with_types = PreTrainedTokenizerFast(
        tokenizer_object=engine, model_input_names=["input_ids", "token_type_ids", "attention_mask"]
    )
    assert with_types("a", "b")["token_type_ids"] == [0, 0, 0, 1, 1] and len(caplog.records) == 1
