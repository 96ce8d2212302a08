"""One small tokenizer of each kind, loaded by both libraries from the same folder."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import transformers

import nabi
from tests.tokenization.small_tokenizers import CORPUS, write_bpe, write_unigram, write_wordpiece

WRITERS = {"wordpiece": write_wordpiece, "bpe": write_bpe, "unigram": write_unigram}
TEXTS = [CORPUS[0], CORPUS[2], CORPUS[9], "나비", CORPUS[12]]


@cache
def pair(kind: str) -> tuple[Any, Any]:
    """(nabi's tokenizer, the incumbent's)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        WRITERS[kind](folder)
        theirs = transformers.AutoTokenizer.from_pretrained(folder)
        return nabi.AutoTokenizer.from_pretrained(folder), theirs


def examples(kind: str, **settings: Any) -> list[dict[str, Any]]:
    """TEXTS as a data set has them: a dict of lists each."""
    tokenizer, _ = pair(kind)
    return [dict(tokenizer(text, **settings)) for text in TEXTS]
