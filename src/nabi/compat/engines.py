"""The engine in Rust behind a tokenizer, which a slow one was once converted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def convert_slow_tokenizer(transformer_tokenizer: Any, from_tiktoken: bool = False) -> Tokenizer:
    """The engine that the tokenizer has already. TypeError for one that is written in Python, which has none."""
    if not transformer_tokenizer.is_fast:
        raise TypeError(f"{type(transformer_tokenizer).__name__} cuts texts in Python, so no engine does the same")
    engine: Tokenizer = transformer_tokenizer.backend_tokenizer
    return engine
