"""What became of a text, where it is worth a warning: nothing at all, only unknown tokens, or too many tokens.

The model would answer all the same. Each is said once for each tokenizer.
"""

from __future__ import annotations

import logging
from typing import Any

from tokenizers import Encoding

logger = logging.getLogger(__name__)

TOO_LONG = "sequence-length-is-longer-than-the-specified-maximum"  # HF's key in `deprecation_warnings`
LOST = "text-became-nothing-or-unknown"
TYPES = "pair-without-token-types"


def first_empty(rows: list[Any], encodings: list[Encoding], special: int) -> Any | None:
    """The first text, not blank, whose encoding (not padded yet) has only its `special` tokens."""
    for row, encoding in zip(rows, encodings, strict=True):
        if len(encoding) <= special and text_of(row).strip():
            return row
    return None


def first_unknown(ids: list[list[int]], encodings: list[Encoding], unk_id: int) -> int | None:
    """The number of the first row of tokens that are all unknown, special ones aside."""
    for index, row in enumerate(ids):
        # Near its ends a row has tokens of its text, behind one special token at most: looking there is enough to
        # pass nearly every row.
        if unk_id in row[:2] or unk_id in row[-2:]:
            mask = encodings[index].special_tokens_mask
            if all(token == unk_id for token, special in zip(row, mask, strict=True) if not special):
                return index
    return None


def warn_of_lost(said: dict[str, bool], row: Any, found: str) -> None:
    """`found`: what became of the text."""
    said[LOST] = True
    text = text_of(row)
    logger.warning(
        "The text %r became %s: the vocabulary does not know its characters, or a normalizer took them apart or away. "
        "Check that this tokenizer belongs to the language, and its do_lower_case and strip_accents.",
        text if len(text) <= 40 else text[:37] + "…",
        found,
    )


def warn_of_types(kind: str) -> None:
    """kind: the tokenizer's class."""
    logger.warning(
        "Pairs are framed with token types here, but %s leaves them out, as version 5 of transformers does and version "
        "4 did not. If the model reads them, as BERT does: "
        "model_input_names=['input_ids', 'token_type_ids', 'attention_mask'], or a class of its own.",
        kind,
    )


def warn_if_too_long(said: dict[str, bool], ids: list[list[int]], limit: int) -> None:
    """`limit`: the tokenizer's model_max_length."""
    longest = max(map(len, ids))
    if longest <= limit or said.get(TOO_LONG):
        return
    said[TOO_LONG] = True
    logger.warning(
        "A text has %d tokens, but the model takes at most %d (model_max_length). Cut it with truncation=True, or "
        "split it with truncation=True, stride=…, return_overflowing_tokens=True.",
        longest,
        limit,
    )


def text_of(row: Any) -> str:
    """A text, the texts of a pair, or words, as one str."""
    return row if isinstance(row, str) else " ".join(map(text_of, row))
