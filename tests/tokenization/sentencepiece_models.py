"""Small SentencePiece models, trained by sentencepiece itself on a few lines, in the layouts of the families."""

from __future__ import annotations

import importlib
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sentencepiece
from small_tokenizers import CORPUS, write_json

# All of ASCII, as every real model has it.
TEXTS = [*CORPUS, *[" ".join(map(chr, range(0x21, 0x7F)))] * 3, *["1,000 20, 30, 9, 9, 1990, 1990, <s> <unk>"] * 3]

PLAIN = dict(model_type="unigram", vocab_size=500)
BPE = dict(model_type="bpe", vocab_size=700)
AS_IT_IS = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
PUNCTUATION = list('(),."-–')

# Name -> what sentencepiece is told beyond its defaults.
TRAINED: dict[str, dict[str, Any]] = {
    "unigram": PLAIN,
    "unigram, bytes": {**PLAIN, "byte_fallback": True, "vocab_size": 700},
    "unigram, identity": {**PLAIN, "normalization_rule_name": "identity"},
    "unigram, all spaces": {**PLAIN, **AS_IT_IS},
    "unigram, spaces of nmt": {**PLAIN, "remove_extra_whitespaces": False},
    "unigram, folded": {**PLAIN, "normalization_rule_name": "nmt_nfkc_cf"},
    "unigram, no prefix": {**PLAIN, "add_dummy_prefix": False},
    "unigram, suffix": {**PLAIN, "treat_whitespace_as_suffix": True},
    "unigram, across words": {**PLAIN, "split_by_whitespace": False},
    "unigram, symbols": {**PLAIN, "user_defined_symbols": ["<uds>", "<e1>", "영화", *PUNCTUATION]},
    "bpe": BPE,
    "bpe, bytes": {**BPE, "byte_fallback": True, "vocab_size": 900},
    "bpe, all spaces": {**BPE, **AS_IT_IS},
    "bpe, suffix": {**BPE, "treat_whitespace_as_suffix": True},
    "bpe, symbols": {**BPE, "user_defined_symbols": ["<uds>", "<e1>", "영화", *PUNCTUATION]},
    "bpe, spaces as symbols": {**BPE, **AS_IT_IS, "user_defined_symbols": ["▁▁", "▁▁▁▁", "\n", "<uds>"]},
    # Families.
    "albert": {
        **PLAIN,
        **dict(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"]),
        "user_defined_symbols": PUNCTUATION,
    },
    "t5": {**PLAIN, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    "deberta": {
        **PLAIN,
        **dict(pad_id=0, bos_id=1, eos_id=2, unk_id=3),
        **dict(pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]"),
    },
    "xlnet": {
        **PLAIN,
        "control_symbols": ["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"],
        "user_defined_symbols": ["<eop>", *PUNCTUATION],
    },
    "bigbird": {
        **PLAIN,
        **dict(pad_id=0, eos_id=1, bos_id=2, unk_id=3, control_symbols=["[CLS]", "[SEP]", "[MASK]"]),
    },
    "llama": {**BPE, **AS_IT_IS, "byte_fallback": True, "vocab_size": 900},
    "llama unigram": {**PLAIN, **AS_IT_IS, "byte_fallback": True, "vocab_size": 700},
    "gemma": {
        **BPE,
        **AS_IT_IS,
        **dict(byte_fallback=True, vocab_size=900, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3),
        **dict(pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>"),
        "user_defined_symbols": ["<mask>", "<unused0>", "\n", "\n\n", "▁▁", "▁▁▁"],
    },
    "kobert": {
        **PLAIN,
        **dict(unk_id=0, pad_id=1, bos_id=-1, eos_id=-1, unk_piece="[UNK]", pad_piece="[PAD]"),
        "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
    },
}


def train(folder: Path, name: str) -> Path:
    prefix = folder / name.replace(", ", "-").replace(" ", "-")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(prefix),
        minloglevel=2,
        character_coverage=0.999,
        hard_vocab_limit=False,
        **TRAINED[name],
    )
    return prefix.with_suffix(".model")


class Models(dict[str, Path]):
    """Name -> path, trained when first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        self[name] = train(self.folder, name)
        return self[name]


def as_repository(folder: Path, model: Path, name: str, **config: Any) -> Path:
    """A folder as a checkpoint has it: the model under its name there, and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(model.read_bytes())
    write_json(folder / "tokenizer_config.json", config)
    return folder


Row = tuple[str, float, int]  # piece, score, type


def with_pieces(model: Path, place: Path, rows: list[Row]) -> Path:
    """A copy of a model with other pieces."""
    data, at = model.read_bytes(), 0
    while data[at] == 0x0A:  # the old ones, all shorter than 128 bytes
        at += 2 + data[at + 1]
    place.write_bytes(b"".join(_message(row) for row in rows) + data[at:])
    return place


def _message(row: Row) -> bytes:
    piece, score, kind = row[0].encode(), row[1], row[2]
    body = b"\x0a" + _varint(len(piece)) + piece + b"\x15" + struct.pack("<f", score) + b"\x18" + _varint(kind)
    return b"\x0a" + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def lend_protobuf(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the incumbent read `.model` files without protobuf, which it wants for nothing else: it gets the fields of
    the message from nabi's reader (whose results other tests compare with sentencepiece's own)."""
    from nabi.tokenization.formats import read_sentencepiece

    class ModelProto:
        def ParseFromString(self, data: bytes) -> None:
            path = folder / "lent.model"
            path.write_bytes(data)
            model = read_sentencepiece(path)
            rows = zip(model.pieces, model.scores, model.types, strict=True)
            self.pieces = [SimpleNamespace(piece=piece, score=score, type=kind) for piece, score, kind in rows]
            number = {"unigram": 1, "bpe": 2}[model.algorithm]
            ids = {"unk_id": model.unk_id, "bos_id": model.bos_id or -1, "eos_id": model.eos_id or -1}
            self.trainer_spec = SimpleNamespace(**{**vars(model), **ids, "model_type": number})
            self.normalizer_spec = SimpleNamespace(**vars(model))

    module = importlib.import_module("transformers.convert_slow_tokenizer")
    patch.setattr(module, "import_protobuf", lambda *_: SimpleNamespace(ModelProto=ModelProto))
    patch.setattr(module, "requires_backends", lambda *_: None)
