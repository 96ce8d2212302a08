"""KoBERT, whose repositories name a tokenizer class that no library has, or XLNet's, which frames texts otherwise.

Two layouts are known. SKT's has the SentencePiece model alone, with [UNK] [PAD] [CLS] [SEP] [MASK] as its first pieces.
monologg's (KoBERT and DistilKoBERT) has the same kind of model beside a vocab.txt whose lines are the ids.
Both clean a text as XLNet does, and frame it as BERT does.
"""

from __future__ import annotations

import logging
from typing import Any

from ..formats.sentencepiece_model import SentencePieceModel
from ..vocabulary_files import read_vocabulary
from . import bert
from .sentencepiece import WITH_TYPES, CleaningTokenizerFast

logger = logging.getLogger(__name__)


class KoBertTokenizerFast(CleaningTokenizerFast):
    """`[CLS] text [SEP] pair [SEP]` with token types 0 and 1, from a `vocab_file` (the SentencePiece model) and, where
    the ids are not the model's own, a `vocab_txt` (one piece a line). Pieces that it lacks are not used."""

    vocab_files_names = {"vocab_file": "spiece.model", "vocab_txt": "vocab.txt", "tokenizer_file": "tokenizer.json"}
    model_input_names = WITH_TYPES
    frames = bert.FRAMES
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        **bert.TOKENS,
        "do_lower_case": False,
        "remove_space": True,
        "keep_accents": False,
    }

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        if "vocab_txt" not in files:
            return None
        numbers = read_vocabulary(files["vocab_txt"])
        absent = sum(piece not in numbers for piece in model.normal)
        if absent:
            logger.warning(
                "%s has no id for %d of the %d pieces of %s: texts with them are cut into smaller pieces or become "
                "%s. If the two files are not of one checkpoint, load them from one.",
                files["vocab_txt"],
                absent,
                len(model.normal),
                model.path,
                options["unk_token"],
            )
        return sorted(numbers, key=numbers.__getitem__)


class DistilKoBertTokenizerFast(KoBertTokenizerFast):
    """KoBERT's tokenizer for a model without token types."""

    model_input_names = ["input_ids", "attention_mask"]


KoBERTTokenizer = KoBERTTokenizerFast = KoBertTokenizer = KoBertTokenizerFast
DistilKoBertTokenizer = DistilKoBertTokenizerFast
