"""Ids -> text."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import BPE

# What English text looks like after BERT's splitting -> what it looked like before.
_CLEANED = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def decode_ids(tokenizer: Tokenizer, ids: Any, skip_special_tokens: bool, clean_up: bool) -> str:
    """The text of one row of ids. Raises ValueError for an id below 0, TypeError for what is no id."""
    ids = [ids] if isinstance(ids, int) else ids
    for token_id in ids:
        if not isinstance(token_id, int):
            raise TypeError(f"decode() takes whole numbers, not {token_id!r} ({type(token_id).__name__}).")
        if token_id < 0:
            raise ValueError(
                f"{token_id} is no token's id. Labels mark what does not count with -100: replace it first, such as "
                "with np.where(labels < 0, tokenizer.pad_token_id, labels)."
            )
    text = tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)
    if clean_up:
        for split, joined in _CLEANED:
            text = text.replace(split, joined)
    return text


def cleans_up(tokenizer: Tokenizer) -> bool:
    """Whether cleaning up is meant for this kind of tokenizer: BPE keeps spaces exactly, so it would only spoil text.

    (Many a BPE checkpoint's config asks for it all the same. An explicit argument of decode() is obeyed.)
    """
    return not isinstance(tokenizer.model, BPE)
