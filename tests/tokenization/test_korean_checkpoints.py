"""The known Korean checkpoints load with AutoTokenizer as they are published: each in the shape of its repository."""

from __future__ import annotations

import json
import logging
import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from awkward import KOREAN, LINES
from sentencepiece_models import Models, as_repository
from small_tokenizers import CORPUS, train_wordpiece, write_json, write_vocab
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.models import WordPiece

from nabi.tokenization import AutoTokenizer, KoBertTokenizer, PreTrainedTokenizerFast, XLNetTokenizer
from nabi.tokenization.formats import read_sentencepiece

KOBERT = "tokenizer_78b3253a26.model"
TOKENS = {
    "bos_token": "[CLS]",
    "eos_token": "[SEP]",
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
SKT = {"do_lower_case": False, "remove_space": True, "keep_accents": False, **TOKENS}


@pytest.fixture(scope="module")
def kobert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Models(tmp_path_factory.mktemp("models"))["kobert"]


def skt(folder: Path, kobert: Path, **config: Any) -> Path:
    as_repository(folder, kobert, "spiece.model", **{**SKT, **config})
    write_json(folder / "config.json", {"model_type": "bert"})
    return folder


def monologg(folder: Path, kobert: Path, model_type: str = "bert", **config: Any) -> tuple[Path, list[str]]:
    """The folder, and its vocab.txt: the pieces in another order than the model's, special tokens first."""
    pieces = [piece for piece in read_sentencepiece(kobert).pieces if piece not in TOKENS.values()]
    random.Random(3).shuffle(pieces)
    vocabulary = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", *pieces]
    as_repository(folder, kobert, KOBERT, **config)
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary), encoding="utf-8")
    write_json(folder / "config.json", {"model_type": model_type})
    return folder, vocabulary


def original(kobert: Path, text: str) -> list[str]:
    """The pieces as the classes of both repositories find them: cleaned as XLNet cleans, then sentencepiece."""
    text = " ".join(text.split()).replace("``", '"').replace("''", '"')
    text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return sentencepiece.SentencePieceProcessor(model_file=str(kobert)).encode_as_pieces(text)


def plain(lines: list[str]) -> list[str]:
    """Without special tokens, which the repositories' classes cut out first."""
    return [line for line in lines if not any(token in line for token in TOKENS.values())]


@pytest.mark.parametrize("name", ["XLNetTokenizer", "KoBERTTokenizer", "KoBERTTokenizerFast", None])
def test_kobert_of_skt_is_framed_as_its_bert_was_trained(tmp_path: Path, kobert: Path, name: str | None) -> None:
    ours = AutoTokenizer.from_pretrained(skt(tmp_path, kobert, tokenizer_class=name))
    assert isinstance(ours, KoBertTokenizer) and ours.padding_side == "right"
    rows = ours(["영화는", "영"], ["영", "영"], padding=True)
    assert ours.convert_ids_to_tokens(rows["input_ids"][1]) == [
        *("[CLS]", "▁", "영", "[SEP]", "▁", "영", "[SEP]"),
        *("[PAD]", "[PAD]"),
    ]
    assert rows["token_type_ids"][1] == [0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert ours("영")["input_ids"][0] == 2 and ours.pad_token_id == 1 and ours.unk_token_id == 0
    model = sentencepiece.SentencePieceProcessor(model_file=str(kobert))
    for line in plain(LINES[:60]):
        expected = [model.piece_to_id(piece) for piece in original(kobert, line)]
        assert ours(line, add_special_tokens=False)["input_ids"] == expected, line


def test_hangul_stays_whole_in_xlnets_own_layout_too(tmp_path: Path, kobert: Path) -> None:
    ours = XLNetTokenizer(kobert, **TOKENS)
    for line in plain(KOREAN):
        tokens = ours.convert_ids_to_tokens(ours(line, add_special_tokens=False)["input_ids"])
        known = [piece if piece in ours.get_vocab() else "[UNK]" for piece in original(kobert, line)]
        assert tokens == known
    assert not any("\u1100" <= letter <= "\u11ff" for token in ours.tokenize("이 영화는 최고예요") for letter in token)
    assert ours("영").tokens() == ["▁", "영", "[SEP]", "[CLS]"], "named as a class, it is XLNet's"


@pytest.mark.parametrize("config", [{}, {"tokenizer_class": "KoBertTokenizer"}, {"tokenizer_class": "BertTokenizer"}])
def test_kobert_of_monologg_has_the_ids_of_its_vocab_txt(
    tmp_path: Path, kobert: Path, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    folder, vocabulary = monologg(tmp_path, kobert, do_lower_case=False, max_len=512, **config)
    with caplog.at_level(logging.WARNING):
        ours = AutoTokenizer.from_pretrained(folder)
    assert caplog.text == ""
    assert isinstance(ours, KoBertTokenizer) and ours.model_max_length == 512
    assert (
        [ours.convert_ids_to_tokens(number) for number in range(len(vocabulary))]
        == vocabulary
        == [piece for piece, _ in sorted(ours.get_vocab().items(), key=lambda item: item[1])]
    )
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    for line in plain(LINES[:60]):
        expected = [numbers.get(piece, 0) for piece in original(kobert, line)]
        assert ours(line, add_special_tokens=False)["input_ids"] == expected, line
    pair = ours("영", "영")
    assert pair["input_ids"][:1] + pair["input_ids"][-1:] == [2, 3]
    assert pair["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1]


def test_distilkobert_gets_no_token_types(tmp_path: Path, kobert: Path) -> None:
    for number, config in enumerate(({}, {"tokenizer_class": "KoBertTokenizer"})):
        folder, _ = monologg(tmp_path / str(number), kobert, "distilbert", **config)
        ours = AutoTokenizer.from_pretrained(folder)
        assert isinstance(ours, KoBertTokenizer)
        assert list(ours("영화", "영")) == ["input_ids", "attention_mask"]


def test_pieces_that_vocab_txt_lacks_are_unknown_and_said_to_be(
    tmp_path: Path, kobert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, vocabulary = monologg(tmp_path, kobert)
    vocabulary.remove("영")
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        ours = AutoTokenizer.from_pretrained(folder)
    assert "no id for 1 of the" in caplog.text and "vocab.txt" in caplog.text
    assert ours("영화", add_special_tokens=False)["input_ids"][1] == ours.unk_token_id


def test_kobert_without_its_model_says_what_is_missing(tmp_path: Path, kobert: Path) -> None:
    folder, _ = monologg(tmp_path, kobert, tokenizer_class="KoBertTokenizer")
    (folder / KOBERT).unlink()
    with pytest.raises(ValueError, match=r"SentencePiece model.*vocab\.txt"):
        AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("layout", [skt, monologg])
def test_what_is_saved_is_read_by_both_libraries(tmp_path: Path, kobert: Path, incumbent: Any, layout: Any) -> None:
    made = layout(tmp_path / "published", kobert)
    ours = AutoTokenizer.from_pretrained(made[0] if isinstance(made, tuple) else made)
    ours.save_pretrained(tmp_path / "saved")
    write_json(tmp_path / "saved" / "config.json", {"model_type": "bert"})
    for again in (
        AutoTokenizer.from_pretrained(tmp_path / "saved"),
        incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved")),
    ):
        assert again(LINES)["input_ids"] == ours(LINES)["input_ids"]
        assert again("영화", "영")["token_type_ids"] == ours("영화", "영")["token_type_ids"]


def test_the_incumbent_cannot_read_kobert_which_is_why_this_is_here(
    tmp_path: Path, kobert: Path, incumbent: Any
) -> None:
    folder, _ = monologg(tmp_path, kobert)
    theirs = incumbent.AutoTokenizer.from_pretrained(str(folder))  # WordPiece on pieces of SentencePiece
    assert set(theirs.tokenize("이 영화는 최고예요")) == {"[UNK]"}


# --- tokenizer.json: KoBART, KoGPT2


def of_pieces(special: list[str]) -> Tokenizer:
    engine = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    engine.pre_tokenizer = pre_tokenizers.Metaspace()
    engine.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    engine.train_from_iterator(CORPUS, trainer)
    return engine


KOGPT2 = ["<s>", "</s>", "<usr>", "<pad>", "<sys>", "<unk>", "<mask>"]


@pytest.mark.parametrize("config", [None, {}, {"model_max_length": 1024}])
def test_kogpt2_with_nothing_but_tokenizer_json_encodes(tmp_path: Path, config: dict[str, Any] | None) -> None:
    """Its config.json says GPT-2, and that is no byte-level vocabulary: the incumbent gives an empty list."""
    engine = of_pieces(KOGPT2)
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "config.json", {"model_type": "gpt2", "bos_token_id": 0, "eos_token_id": 1})
    if config is not None:
        write_json(tmp_path / "tokenizer_config.json", config)
    ours = AutoTokenizer.from_pretrained(tmp_path)
    for line in KOREAN:
        ids = ours(line)["input_ids"]
        assert ids == engine.encode(line).ids and (len(ids) > 3)
    assert ours.decode(ours("이 영화는 최고예요!")["input_ids"]) == "이 영화는 최고예요!"
    assert len(ours) == engine.get_vocab_size(), "no token of GPT-2's is added"
    named = AutoTokenizer.from_pretrained(tmp_path, bos_token="</s>", eos_token="</s>", pad_token="<pad>")
    assert (named.pad_token_id, named.eos_token_id) == (3, 1)


def test_kobart_is_read_from_tokenizer_json(tmp_path: Path) -> None:
    engine = of_pieces(["<s>", "</s>", "<pad>", "<unk>", "<mask>"])
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "config.json", {"model_type": "bart"})
    names = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})
    ours = AutoTokenizer.from_pretrained(tmp_path)
    assert type(ours) is PreTrainedTokenizerFast
    for line in KOREAN:
        assert ours(line)["input_ids"] == engine.encode(line).ids
    assert (ours.pad_token_id, ours.eos_token_id, ours.mask_token_id) == (2, 1, 4)


# --- vocab.txt: KcBERT, KoELECTRA, KLUE

WITH_VOCAB = {
    "kcbert": ({"model_type": "bert"}, {"do_lower_case": False, "max_len": 300}),
    "koelectra": ({"model_type": "electra"}, {"do_lower_case": False, "model_max_length": 512}),
    "klue-bert": ({"model_type": "bert"}, {"do_lower_case": False, "tokenizer_class": "BertTokenizer"}),
    "klue-roberta": ({"model_type": "roberta", "tokenizer_class": "BertTokenizer"}, {"do_lower_case": False}),
}


@pytest.mark.parametrize("name", WITH_VOCAB)
def test_vocabularies_of_word_pieces_keep_hangul_and_case(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    model, config = WITH_VOCAB[name]
    trained = train_wordpiece(lowercase=False, strip_accents=False)
    write_vocab(tmp_path, trained)
    write_json(tmp_path / "config.json", model)
    write_json(tmp_path / "tokenizer_config.json", config)
    with caplog.at_level(logging.WARNING):
        ours = AutoTokenizer.from_pretrained(tmp_path)
    assert caplog.text == "" and isinstance(ours.backend_tokenizer.model, WordPiece)
    for line in KOREAN[:3]:
        assert ours(line, add_special_tokens=False)["input_ids"] == trained.encode(line).ids
        assert "".join(token.removeprefix("##") for token in ours.tokenize(line)) == line.replace(" ", "")
    assert ours("영화", "GPU").tokens()[0] == "[CLS]" and "GPU" in "".join(ours.tokenize("GPU")).replace("##", "")
    assert json.loads(ours.backend_tokenizer.to_str())["normalizer"]["lowercase"] is False
