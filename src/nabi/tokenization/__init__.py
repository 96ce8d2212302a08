"""Text -> ids, on the Rust `tokenizers` engine.

    files -> loading -> PreTrainedTokenizerFast (fast.py) -> encoding -> BatchEncoding
                          thin classes (families/)            engine, lengths, padding, tensors

The public names are imported when they are first asked for; torch is imported only to make tensors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .families import HOMES as _FAMILIES

if TYPE_CHECKING:
    from tokenizers import AddedToken as AddedToken

    from .auto import AutoTokenizer as AutoTokenizer
    from .batch_encoding import BatchEncoding as BatchEncoding
    from .batch_encoding import CharSpan as CharSpan
    from .batch_encoding import TokenSpan as TokenSpan
    from .chat import ChatTemplateError as ChatTemplateError
    from .families.bert import *  # noqa: F403
    from .families.byte_bpe import *  # noqa: F403
    from .families.clip import *  # noqa: F403
    from .families.ctc import *  # noqa: F403
    from .families.korean import *  # noqa: F403
    from .families.marian import *  # noqa: F403
    from .families.sentencepiece import *  # noqa: F403
    from .families.siglip import *  # noqa: F403
    from .families.tiktoken import *  # noqa: F403
    from .families.translation import *  # noqa: F403
    from .families.whisper import *  # noqa: F403
    from .families.words import *  # noqa: F403
    from .families.xlm import *  # noqa: F403
    from .fast import PreTrainedTokenizerFast as PreTrainedTokenizerFast
    from .training import train as train

_HOMES = {
    "AddedToken": "tokenizers",
    "AutoTokenizer": "nabi.tokenization.auto",
    "BatchEncoding": "nabi.tokenization.batch_encoding",
    "ChatTemplateError": "nabi.tokenization.chat",
    "CharSpan": "nabi.tokenization.batch_encoding",
    "PreTrainedTokenizerFast": "nabi.tokenization.fast",
    "TokenSpan": "nabi.tokenization.batch_encoding",
    "train": "nabi.tokenization.training",
    **{
        name + ending: f"nabi.tokenization.families.{home}"
        for name, home in _FAMILIES.items()
        for ending in ("", "Fast")
    },
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
