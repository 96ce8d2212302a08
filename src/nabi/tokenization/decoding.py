"""Ids -> text."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel
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
    if "\ufffd" in text and isinstance(tokenizer.decoder, ByteLevel):
        text = _around_added_tokens(tokenizer, ids, skip_special_tokens)
    return tidy(text) if clean_up else text


def tidy(text: str) -> str:
    """The text without the spaces that splitting put before punctuation and contractions."""
    for split, joined in _CLEANED:
        text = text.replace(split, joined)
    return text


def _around_added_tokens(tokenizer: Tokenizer, ids: list[int], skip_special_tokens: bool) -> str:
    """The text with added tokens as they are: the engine takes their letters for bytes too, and "é" gave "\ufffd"."""
    added = tokenizer.get_added_tokens_decoder()
    if skip_special_tokens:
        ids = [token_id for token_id in ids if token_id not in added or not added[token_id].special]
    runs = ((is_added, list(run)) for is_added, run in groupby(ids, key=added.__contains__))
    return "".join(
        "".join(added[token_id].content for token_id in run) if is_added else tokenizer.decode(run)
        for is_added, run in runs
    )


def cleans_up(tokenizer: Tokenizer) -> bool:
    """Whether cleaning up is meant for this kind of tokenizer: BPE keeps spaces exactly, so it would only spoil text.

    (Many a BPE checkpoint's config asks for it all the same. An explicit argument of decode() is obeyed.)
    """
    return not isinstance(tokenizer.model, BPE)
