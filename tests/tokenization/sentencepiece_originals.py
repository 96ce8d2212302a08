"""The families with a SentencePiece model, and their original tokenizers, written on sentencepiece itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece

Options = dict[str, Any]


@dataclass
class Family:
    """A class, the toy model in its layout, and how far its ids are from the model's."""

    name: str
    model: str
    file: str = "spiece.model"
    options: tuple[Options, ...] = ({},)
    moved: int = 0
    unk_id: int | None = None  # where it is not moved like the others
    lowers: bool = False
    cleans: bool = False
    prefix: str = "always"


FAMILIES = {
    "albert": Family(
        "AlbertTokenizer",
        "albert",
        options=({}, {"keep_accents": True}, {"do_lower_case": False}),
        lowers=True,
        cleans=True,
    ),
    "xlnet": Family(
        "XLNetTokenizer",
        "xlnet",
        options=({}, {"keep_accents": True}, {"do_lower_case": True}),
        cleans=True,
    ),
    "t5": Family("T5Tokenizer", "t5", options=({}, {"extra_ids": 5}, {"legacy": False})),
    "xlm-roberta": Family("XLMRobertaTokenizer", "unigram", "sentencepiece.bpe.model", moved=1, unk_id=3),
    "xlm-roberta of bpe": Family("XLMRobertaTokenizer", "bpe", "sentencepiece.bpe.model", moved=1, unk_id=3),
    "camembert": Family("CamembertTokenizer", "unigram", "sentencepiece.bpe.model", moved=4, unk_id=3),
    "camembert of bpe": Family("CamembertTokenizer", "bpe", "sentencepiece.bpe.model", moved=4, unk_id=3),
    "pegasus": Family(
        "PegasusTokenizer", "t5", options=({}, {"mask_token": "<mask_2>", "mask_token_sent": "<mask_1>"}), moved=103
    ),
    "bigbird_pegasus": Family(
        "PegasusTokenizer", "t5", options=({"offset": 0, "mask_token_sent": None, "mask_token": "</s>"},)
    ),
    "deberta": Family("DebertaV2Tokenizer", "deberta", "spm.model", options=({}, {"do_lower_case": True})),
    "big_bird": Family("BigBirdTokenizer", "bigbird"),
    "llama": Family(
        "LlamaTokenizer",
        "llama",
        "tokenizer.model",
        ({}, {"legacy": True}, {"add_prefix_space": False}),
        prefix="first",
    ),
    "llama of unigram": Family("LlamaTokenizer", "llama unigram", "tokenizer.model", prefix="first"),
    "gemma": Family("GemmaTokenizer", "gemma", "tokenizer.model", prefix="never"),
}


def processor_of(model: Path, has_prefix: bool) -> Any:
    """sentencepiece for a model, or for the same model trained with add_dummy_prefix=false."""
    without = b"\x1a\x02\x18\x00"  # a normalizer_spec that says only this; protobuf joins it with the first
    data = model.read_bytes() + (b"" if has_prefix else without)
    return sentencepiece.SentencePieceProcessor(model_proto=data)


def original(family: Family, model: Path, options: Options, special: dict[str, int]) -> Callable[[str], list[int]]:
    """Text -> ids, on sentencepiece itself, as the slow tokenizers of the family did it: cut at special tokens, clean
    each part, let sentencepiece do the rest, and move its ids."""
    without = options.get("add_prefix_space") is False
    prefix = {False: "first", True: "always"}[options["legacy"]] if "legacy" in options else family.prefix
    begin = processor_of(model, has_prefix=not without)
    inner = processor_of(model, has_prefix=not without and prefix == "always")
    kept_apart = begin.encode("a  b") == begin.encode("a b")  # it makes one space of many
    lowers = options.get("do_lower_case", family.lowers)
    moved = family.moved if options.get("offset") is None else options["offset"]

    def clean(text: str) -> str:
        if family.cleans:
            text = " ".join(text.split()).replace("``", '"').replace("''", '"')
            if not options.get("keep_accents"):
                text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
        return text.lower() if lowers else text

    def pieces(part: str, processor: Any) -> list[int]:
        ids: list[int] = []
        for token_id in processor.encode(part):
            piece = processor.id_to_piece(token_id)
            if family.cleans and len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                again = processor.encode_as_pieces(piece[:-1].replace("▁", ""))
                if not piece.startswith("▁") and again[0].startswith("▁"):
                    again = again[1:] if again[0] == "▁" else [again[0][1:], *again[1:]]
                ids += [processor.piece_to_id(each) for each in [*again, ","]]
            else:
                ids.append(token_id)
        unk = processor.unk_id()
        return [family.unk_id if number == unk and family.unk_id is not None else number + moved for number in ids]

    names = "|".join(map(re.escape, sorted(special, key=len, reverse=True)))

    def encode(text: str) -> list[int]:
        ids: list[int] = []
        for number, part in enumerate(re.split(f"({names})", text)):
            if part in special:
                ids.append(special[part])
            elif number > 0 and prefix == "first" and kept_apart and part[:1].isspace():
                ids += pieces(part, begin)  # this space is text, not a prefix
            elif part:
                ids += pieces(clean(part), begin if number == 0 else inner)
        return ids

    return encode
