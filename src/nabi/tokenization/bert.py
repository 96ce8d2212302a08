"""WordPiece as BERT assembles it, and the one rule that keeps Korean text whole.

BERT lowercases by decomposing accents (NFD) and dropping them. NFD also takes Hangul syllables apart into
jamo, which a vocabulary of syllables does not hold: every Korean word would become [UNK]. Where the
vocabulary holds syllables, NFC follows, so that they come together again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from .engine import Engine
from .fast import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

_SYLLABLES = re.compile("[가-힣]+")
_JAMO = re.compile("[\u1100-\u11ff]+")


class BertTokenizerFast(PreTrainedTokenizerFast):
    """WordPiece with BERT's cleaning and `[CLS] text [SEP] pair [SEP]`.

    From a `vocab_file` (vocab.txt, one piece a line), a `vocab` (a dict piece -> id, or a path), a
    `tokenizer_file` or a `tokenizer_object`. `do_lower_case` (default True), `tokenize_chinese_chars` (True)
    and `strip_accents` (None: as do_lower_case) override what a tokenizer.json says only where they are given.
    A vocabulary of Hangul syllables is never made to read jamo: nabi then warns once and composes the text.
    """

    vocab_files_names = {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]

    def __init__(
        self,
        vocab_file: str | Path | dict[str, int] | None = None,
        *,
        vocab: str | Path | dict[str, int] | None = None,
        tokenizer_file: str | Path | None = None,
        tokenizer_object: Tokenizer | Engine | None = None,
        do_lower_case: bool | None = None,
        tokenize_chinese_chars: bool | None = None,
        strip_accents: bool | None = None,
        unk_token: Any = "[UNK]",
        sep_token: Any = "[SEP]",
        pad_token: Any = "[PAD]",
        cls_token: Any = "[CLS]",
        mask_token: Any = "[MASK]",
        **options: Any,
    ) -> None:
        pieces = vocab if vocab is not None else vocab_file
        if tokenizer_object is not None or tokenizer_file is not None:
            engine = Engine.of(tokenizer_object, tokenizer_file)
        elif pieces is not None:
            engine = Engine(build_wordpiece(pieces, str(unk_token), str(cls_token), str(sep_token)))
        else:
            raise ValueError(
                f"{type(self).__name__} needs a vocabulary: vocab_file='…/vocab.txt', vocab={{piece: id}}, "
                f"tokenizer_file='…/tokenizer.json', or {type(self).__name__}.from_pretrained('…')."
            )
        asked = {
            "lowercase": do_lower_case,
            "handle_chinese_chars": tokenize_chinese_chars,
            "strip_accents": strip_accents,
        }
        asked = {setting: value for setting, value in asked.items() if value is not None}
        used = set_bert_normalizer(engine.tokenizer, asked)
        self.do_lower_case: bool = used["lowercase"]
        self.tokenize_chinese_chars: bool = used["handle_chinese_chars"]
        self.strip_accents: bool | None = used["strip_accents"]
        super().__init__(
            tokenizer_object=engine,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            **options,
        )
        self.init_kwargs.update(
            do_lower_case=self.do_lower_case,
            tokenize_chinese_chars=self.tokenize_chinese_chars,
            strip_accents=self.strip_accents,
        )

    def _saved_class(self) -> str:
        """HF's BertTokenizer rebuilds all but the vocabulary; what it would change is saved under the general name."""
        return super()._saved_class() if _is_plain_bert(self) else "PreTrainedTokenizerFast"


class DistilBertTokenizerFast(BertTokenizerFast):
    """BERT's tokenizer for models without token types."""

    model_input_names = ["input_ids", "attention_mask"]


BertTokenizer = ElectraTokenizer = ElectraTokenizerFast = BertTokenizerFast
DistilBertTokenizer = DistilBertTokenizerFast


def build_wordpiece(pieces: str | Path | dict[str, int], unk: str, cls: str, sep: str) -> Tokenizer:
    """The engine for a vocabulary, with BERT's defaults. Raises OSError or ValueError if the vocabulary is unfit."""
    vocab = pieces if isinstance(pieces, dict) else read_vocab(pieces)
    place = "vocab" if isinstance(pieces, dict) else str(pieces)
    if unk not in vocab:
        raise ValueError(
            f"{place}: no unknown token {unk!r} among its {len(vocab)} pieces, so no new word could be encoded. Is "
            "it a WordPiece vocabulary (one piece a line)? If its unknown token has another name, pass unk_token=…."
        )
    for token in (cls, sep):
        if token not in vocab:
            raise ValueError(
                f"{place}: no piece {token!r}, which BERT puts around every text. If it has another name there, pass "
                "cls_token=… and sep_token=…."
            )
    tokenizer = Tokenizer(WordPiece(vocab, unk_token=unk))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, vocab[cls]), (sep, vocab[sep])],
    )
    return tokenizer


def read_vocab(path: str | Path) -> dict[str, int]:
    """A vocab.txt, piece -> line number from 0. Raises OSError, or ValueError for bad bytes and repeated pieces."""
    try:
        with Path(path).open(encoding="utf-8-sig") as lines:
            pieces = [line.rstrip("\n") for line in lines]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 (byte {error.start}: {error.reason}). If it was saved on Windows as cp949, save it "
            "again as UTF-8; if it is no text, it is no vocab.txt."
        ) from error
    vocab = {piece: number for number, piece in enumerate(pieces)}
    if len(vocab) < len(pieces):
        seen: dict[str, int] = {}
        for number, piece in enumerate(pieces, start=1):
            if piece in seen:
                raise ValueError(
                    f"{path}: the piece {piece!r} stands on lines {seen[piece]} and {number}, so its id is unclear. "
                    "Remove the line that the model was not trained with."
                )
            seen[piece] = number
    return vocab


def set_bert_normalizer(tokenizer: Tokenizer, asked: dict[str, bool | None]) -> dict[str, Any]:
    """Put the asked settings into BERT's normalizer, keep Hangul whole, and return the settings that hold.

    A normalizer of another kind is the checkpoint's own, and stays as it is.
    """
    found = _bert_settings(tokenizer.normalizer)
    if found is None:
        return {"lowercase": True, "handle_chinese_chars": True, "strip_accents": None, **asked}
    settings = {**found, **asked}
    if settings == found and not isinstance(tokenizer.normalizer, normalizers.BertNormalizer):
        return settings  # saved by nabi: composed already
    bert = normalizers.BertNormalizer(**settings)
    tokenizer.normalizer = bert
    strips = settings["lowercase"] if settings["strip_accents"] is None else settings["strip_accents"]
    if strips and has_syllables(tokenizer.get_vocab(with_added_tokens=False)):
        logger.warning(
            "The vocabulary holds Hangul syllables, but stripping accents (do_lower_case=True does it too) takes "
            "Hangul apart into jamo: every Korean word would become the unknown token. nabi composes it again (NFC). "
            "Set do_lower_case=False if the vocabulary is cased, or strip_accents=False if it is not."
        )
        tokenizer.normalizer = normalizers.Sequence([bert, normalizers.NFC()])
    return settings


def _bert_settings(normalizer: Any) -> dict[str, Any] | None:
    """The settings of a BertNormalizer, alone or followed by NFC as nabi does it; None for any other normalizer."""
    if normalizer is None:
        return None
    state = json.loads(normalizer.__getstate__())
    parts = state.get("normalizers", [state])
    if [part["type"] for part in parts] not in (["BertNormalizer"], ["BertNormalizer", "NFC"]):
        return None
    return {key: value for key, value in parts[0].items() if key != "type"}


def has_syllables(pieces: Iterable[str]) -> bool:
    """Whether a vocabulary was made from composed Hangul: it holds more runs of syllables than of jamo."""
    text = "\n".join(pieces)
    return len(_SYLLABLES.findall(text)) > len(_JAMO.findall(text))


def _is_plain_bert(tokenizer: BertTokenizerFast) -> bool:
    """Whether vocabulary and settings alone give this tokenizer back."""
    backend = tokenizer.backend_tokenizer
    if not (
        isinstance(backend.model, WordPiece)
        and isinstance(backend.normalizer, normalizers.BertNormalizer)
        and isinstance(backend.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
    ):
        return False
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    single = ((None, cls, 0), (0, None, 0), (None, sep, 0))
    pair = (*single, (1, None, 1), (None, sep, 1))
    return tokenizer.layout(False).parts == single and tokenizer.layout(True).parts == pair
