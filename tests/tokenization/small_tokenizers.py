"""Small tokenizers, trained on a few Korean and English lines, written as folders that both libraries load."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다.",
    "이 영화는 지루하고 시간이 아까웠어요. 다시는 보고 싶지 않네요.",
    "서울에서 부산까지 기차로 두 시간 반이 걸립니다.",
    "오늘 날씨가 맑아서 한강 공원에 산책하러 나갔다.",
    "나비가 꽃밭 위를 날아다니고, 아이들이 웃으며 따라간다.",
    "도서관에서 책을 빌려 밤새도록 읽었는데 결말이 뜻밖이었다.",
    "값이 싸고 맛도 좋아서 자주 가는 식당입니다, 닭볶음탕을 추천해요.",
    "The butterfly rests on a flower while children are laughing nearby.",
    "This film was far too long, and I didn't like its ending at all.",
    "A quick train ride takes us from Seoul to Busan in 2 hours and 30 minutes.",
    "She borrowed three books from the library; two of them were about history.",
    "What a wonderful café! The coffee isn't cheap, but the naïve décor is lovely.",
    "머신러닝 model을 training하려면 GPU가 필요하다고 합니다.",
    "漢字와 한글을 섞어 쓴 文章도 있다. 뷁쀍 같은 글자는 드물다.",
] * 3

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FRAMED = dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
KINDS = ("wordpiece", "bpe", "unigram")


def train_wordpiece(**normalizer: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**normalizer)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def write_vocab(folder: Path, tokenizer: Tokenizer) -> Path:
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    path = folder / "vocab.txt"
    path.write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")
    return path


def write_json(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def framed(tokenizer: Tokenizer) -> Tokenizer:
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return tokenizer


def write_wordpiece(folder: Path) -> None:
    write_vocab(folder, train_wordpiece(lowercase=False, strip_accents=False))
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": False, "model_max_length": 64},
    )


def write_bpe(folder: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<|endoftext|>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|endoftext|>",
            "pad_token": "<pad>",
            "model_max_length": 64,
        },
    )


def write_unigram(folder: Path) -> None:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    framed(tokenizer).save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, "padding_side": "left", **FRAMED},
    )
