"""WordPiece as BERT assembles it, and the one rule that keeps Korean text whole.

BERT lowercases by decomposing accents (NFD) and dropping them. NFD also takes Hangul syllables apart into
jamo, which a vocabulary of syllables does not hold: every Korean word would become [UNK]. Where the
vocabulary holds syllables, NFC follows, so that they come together again.
"""

from __future__ import annotations

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from ..characters import BasicTokenizer, WordpieceTokenizer
from ..fast import PreTrainedTokenizerFast
from ..vocabulary_files import read_vocabulary

logger = logging.getLogger(__name__)

_SYLLABLES = re.compile("[가-힣]+")
_JAMO = re.compile("[\u1100-\u11ff]+")

TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
FRAMES = ("{cls} $A {sep}", "{cls} $A {sep} $B:1 {sep}:1")


class BertTokenizerFast(PreTrainedTokenizerFast):
    """WordPiece with BERT's cleaning and `[CLS] text [SEP] pair [SEP]`.

    From a `vocab_file` (vocab.txt, one piece a line), a `vocab` (a dict piece -> id, or a path), a
    `tokenizer_file` or a `tokenizer_object`. `do_lower_case` (default True), `tokenize_chinese_chars` (True)
    and `strip_accents` (None: as do_lower_case) override what a tokenizer.json says only where they are given.
    A vocabulary of Hangul syllables is never made to read jamo: nabi then warns once and composes the text.
    """

    vocab_files_names = {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    defaults = TOKENS
    frames = FRAMES

    do_lower_case: bool
    tokenize_chinese_chars: bool
    strip_accents: bool | None

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        return build_wordpiece(files["vocab_file"], str(options["unk_token"]))

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        asked = {setting: given[name] for name, setting in _SETTINGS.items() if given.get(name) is not None}
        used = set_bert_normalizer(self._engine.tokenizer, asked)
        for name, setting in _SETTINGS.items():
            options[name] = used[setting]
            setattr(self, name, used[setting])

    # --- what BERT's tokenizer in Python had inside

    @property
    def ids_to_tokens(self) -> OrderedDict[int, str]:
        return OrderedDict(sorted((number, token) for token, number in self.get_vocab().items()))

    @property
    def basic_tokenizer(self) -> BasicTokenizer:
        """Text -> words, in plain Python."""
        return BasicTokenizer(self.do_lower_case, None, self.tokenize_chinese_chars, self.strip_accents)

    @property
    def wordpiece_tokenizer(self) -> WordpieceTokenizer:
        """A word -> its pieces, in plain Python."""
        return WordpieceTokenizer(self.get_vocab(), str(self.unk_token))

    def _saved_class(self) -> str:
        """HF's BertTokenizer rebuilds all but the vocabulary; what it would change is saved under the general name."""
        return super()._saved_class() if _is_plain_bert(self) else "PreTrainedTokenizerFast"


class DistilBertTokenizerFast(BertTokenizerFast):
    """BERT's tokenizer for models without token types."""

    model_input_names = ["input_ids", "attention_mask"]


BertTokenizer = ElectraTokenizer = ElectraTokenizerFast = BertTokenizerFast
DistilBertTokenizer = DistilBertTokenizerFast


# Options -> settings of the engine's BertNormalizer.
_SETTINGS = {
    "do_lower_case": "lowercase",
    "tokenize_chinese_chars": "handle_chinese_chars",
    "strip_accents": "strip_accents",
}


def build_wordpiece(pieces: str | Path | dict[str, int], unk: str) -> Tokenizer:
    """The engine for a vocabulary, with BERT's defaults. Raises OSError or ValueError if the vocabulary is unfit."""
    vocab = read_vocabulary(pieces)
    place = str(pieces) if isinstance(pieces, (str, Path)) else "vocab"
    if unk not in vocab:
        raise ValueError(
            f"{place}: no unknown token {unk!r} among its {len(vocab)} pieces, so no new word could be encoded. Is "
            "it a WordPiece vocabulary (one piece a line)? If its unknown token has another name, pass unk_token=…."
        )
    tokenizer = Tokenizer(WordPiece(vocab, unk_token=unk))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


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
