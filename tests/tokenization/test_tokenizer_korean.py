"""Hangul is never taken apart: a vocabulary of syllables gets syllables."""

from __future__ import annotations

import logging
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest
from small_tokenizers import CORPUS, SPECIAL, framed, train_wordpiece, write_json, write_vocab
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.normalizers import BertNormalizer

from nabi.tokenization import AutoTokenizer, BertTokenizer, BertTokenizerFast

LINE = "이 영화는 정말 최고예요! The Café is LOVELY."


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a vocab.txt of syllables and nothing that says how to read it."""
    folder = tmp_path_factory.mktemp("korean")
    write_vocab(folder, train_wordpiece(lowercase=False, strip_accents=False))
    write_json(folder / "config.json", {"model_type": "bert"})
    return folder


def test_a_vocabulary_of_syllables_keeps_hangul_and_warns_once(
    korean: Path, incumbent: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ours = AutoTokenizer.from_pretrained(korean)
        ours("이 영화")
        ours(["다시", "보고"])
    assert caplog.text.count("do_lower_case=False") == 1
    tokens = ours.tokenize("이 영화는 정말 최고예요!")
    assert "[UNK]" not in tokens
    assert "".join(token.removeprefix("##") for token in tokens) == "이영화는정말최고예요!"
    theirs = incumbent.BertTokenizer(vocab=str(korean / "vocab.txt"))
    assert set(theirs.tokenize("이 영화는 정말 최고예요")) == {"[UNK]"}, "what nabi must not do"


def test_text_that_comes_decomposed_is_composed(korean: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(korean)
    apart = unicodedata.normalize("NFD", LINE)  # as file names of a Mac have it
    assert tokenizer(apart)["input_ids"] == tokenizer(LINE)["input_ids"]
    assert "cafe" in tokenizer.decode(tokenizer(LINE)["input_ids"]), "accents are still stripped"


@pytest.mark.parametrize("options", [{"do_lower_case": False}, {"strip_accents": False}])
def test_a_cased_reading_needs_no_help_and_no_warning(
    korean: Path, caplog: pytest.LogCaptureFixture, options: dict[str, bool]
) -> None:
    with caplog.at_level(logging.WARNING):
        tokenizer = AutoTokenizer.from_pretrained(korean, **options)
    assert caplog.text == ""
    assert isinstance(tokenizer.backend_tokenizer.normalizer, BertNormalizer)
    assert "[UNK]" not in tokenizer.tokenize("이 영화는 정말 최고예요!")


def test_a_vocabulary_of_jamo_is_read_as_it_was_trained(
    tmp_path: Path, incumbent: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_vocab(tmp_path, train_wordpiece(lowercase=True))
    with caplog.at_level(logging.WARNING):
        ours = BertTokenizer(path)
    assert caplog.text == ""
    theirs = incumbent.BertTokenizer(vocab=str(path))
    assert ours(LINE)["input_ids"] == theirs(LINE)["input_ids"]


def test_an_english_vocabulary_is_read_as_always(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tokenizer = BertTokenizer(vocab={piece: number for number, piece in enumerate([*SPECIAL, "hello", "ᄀ"])})
    assert caplog.text == ""
    assert tokenizer.tokenize("Héllo") == ["hello"]


@pytest.mark.parametrize("source", ["vocab.txt", "tokenizer.json"])
def test_what_keeps_hangul_is_saved_so_that_the_incumbent_keeps_it_too(
    korean: Path, incumbent: ModuleType, tmp_path: Path, source: str
) -> None:
    if source == "vocab.txt":
        ours = BertTokenizerFast.from_pretrained(korean)
    else:
        engine = framed(train_wordpiece(lowercase=False, strip_accents=False))
        engine.normalizer = BertNormalizer(lowercase=True)
        ours = BertTokenizerFast(tokenizer_object=engine)
    ours.save_pretrained(tmp_path)
    write_json(tmp_path / "config.json", {"model_type": "bert"})
    theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path))
    for again in (AutoTokenizer.from_pretrained(tmp_path), BertTokenizerFast.from_pretrained(tmp_path), theirs):
        for line in [*CORPUS[:14], LINE, unicodedata.normalize("NFD", LINE)]:
            assert again(line, LINE).data == ours(line, LINE).data


def test_a_vocabulary_saved_with_a_windows_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes("\ufeff".encode() + "\r\n".join([*SPECIAL, "영화", "##는"]).encode())
    tokenizer = BertTokenizer(path, do_lower_case=False)
    assert tokenizer("영화는")["input_ids"] == [2, 5, 6, 3]
    assert tokenizer.pad_token_id == 0


def test_a_gpt2_layout_with_only_tokenizer_json_encodes(tmp_path: Path) -> None:
    """KoGPT2's repository: the incumbent's AutoTokenizer gives an empty list here."""
    engine = Tokenizer(models.BPE(unk_token="<unk>"))
    engine.pre_tokenizer = pre_tokenizers.Metaspace()
    engine.decoder = decoders.Metaspace()
    engine.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=500, special_tokens=["<s>", "</s>", "<pad>", "<unk>"], show_progress=False),
    )
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "config.json", {"model_type": "gpt2"})
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    ids = tokenizer("이 영화는 최고예요!")["input_ids"]
    assert ids == engine.encode("이 영화는 최고예요!").ids and len(ids) > 3
    assert tokenizer.decode(ids) == "이 영화는 최고예요!"
