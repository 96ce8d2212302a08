"""What tokenizers in Python had inside in version 4 is there, and says the same as the tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from nabi import BertTokenizer, GPT2Tokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "나비", "##가", "날", "##아", "hello", "##s", "!"]


@pytest.fixture
def bert(tmp_path: Path) -> BertTokenizer:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    return BertTokenizer.from_pretrained(tmp_path, model_max_length=9, do_lower_case=False)


def test_berts_two_steps_give_the_tokens(bert: BertTokenizer) -> None:
    text = "나비가 날아 hellos!"
    words = bert.basic_tokenizer.tokenize(text)
    assert words == ["나비가", "날아", "hellos", "!"]
    assert [piece for word in words for piece in bert.wordpiece_tokenizer.tokenize(word)] == bert.tokenize(text)
    assert list(bert.ids_to_tokens.items()) == list(enumerate(PIECES))


def test_names_of_the_first_years(bert: BertTokenizer) -> None:
    assert bert.max_len == 9 and bert.max_model_input_sizes[bert.name_or_path] == 9
    assert bert.clean_up_tokenization("I do n't , you do !") == "I don't, you do!"


def test_gpt2_has_its_letters_and_merges() -> None:
    vocab = {"<|endoftext|>": 0, "Ġ": 1, "h": 2, "i": 3, "hi": 4, "Ġhi": 5}
    tokenizer = GPT2Tokenizer(vocab=vocab, merges=[("h", "i"), ("Ġ", "hi")])
    assert tokenizer.bpe("Ġhi") == "Ġhi" and tokenizer.bpe("hĠhi") == "h Ġhi"
    assert tokenizer.byte_encoder[ord(" ")] == "Ġ" and tokenizer.encoder == vocab
