"""Text -> ids, on the Rust `tokenizers` engine.

    files -> loading -> PreTrainedTokenizerFast (fast.py) -> encoding -> BatchEncoding
                          thin classes (bert.py)              engine, lengths, padding, tensors

The public names are imported when they are first asked for; torch is imported only to make tensors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import AddedToken

    from .auto import AutoTokenizer
    from .batch_encoding import BatchEncoding, CharSpan, TokenSpan
    from .bert import (
        BertTokenizer,
        BertTokenizerFast,
        DistilBertTokenizer,
        DistilBertTokenizerFast,
        ElectraTokenizer,
        ElectraTokenizerFast,
    )
    from .fast import PreTrainedTokenizerFast

__all__ = [
    "AddedToken",
    "AutoTokenizer",
    "BatchEncoding",
    "BertTokenizer",
    "BertTokenizerFast",
    "CharSpan",
    "DistilBertTokenizer",
    "DistilBertTokenizerFast",
    "ElectraTokenizer",
    "ElectraTokenizerFast",
    "PreTrainedTokenizerFast",
    "TokenSpan",
]

_HOMES = {
    "AddedToken": "tokenizers",
    "AutoTokenizer": "nabi.tokenization.auto",
    "BatchEncoding": "nabi.tokenization.batch_encoding",
    "BertTokenizer": "nabi.tokenization.bert",
    "BertTokenizerFast": "nabi.tokenization.bert",
    "CharSpan": "nabi.tokenization.batch_encoding",
    "DistilBertTokenizer": "nabi.tokenization.bert",
    "DistilBertTokenizerFast": "nabi.tokenization.bert",
    "ElectraTokenizer": "nabi.tokenization.bert",
    "ElectraTokenizerFast": "nabi.tokenization.bert",
    "PreTrainedTokenizerFast": "nabi.tokenization.fast",
    "TokenSpan": "nabi.tokenization.batch_encoding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
