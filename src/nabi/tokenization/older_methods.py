"""What version 4 and those before it called the methods of a tokenizer; code of those years still does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .batch_encoding import BatchEncoding
from .decoding import tidy


class OlderMethods:
    """What PreTrainedTokenizerFast has for them."""

    model_max_length: int
    name_or_path: str
    _in_target_mode: bool

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> BatchEncoding: ...

    def encode_plus(self, text: Any, text_pair: Any = None, **kwargs: Any) -> BatchEncoding:
        """v4's name for a call with one text or pair."""
        return self(text, text_pair, **kwargs)

    def batch_encode_plus(self, batch_text_or_text_pairs: Any, **kwargs: Any) -> BatchEncoding:
        """v4's name for a call with a list of texts or of pairs."""
        if isinstance(batch_text_or_text_pairs, str):
            raise TypeError(
                "batch_encode_plus takes a list of texts or pairs, not one str: use encode_plus, or a list."
            )
        return self(batch_text_or_text_pairs, **kwargs)

    def prepare_seq2seq_batch(self, src_texts: Any, tgt_texts: Any = None, **kwargs: Any) -> BatchEncoding:
        """v4's name for a call with `text_target`; its own default is to cut."""
        kwargs.setdefault("truncation", True)
        return self(src_texts, text_target=tgt_texts, **kwargs)

    def prepare_for_model(self: Any, ids: Any, pair_ids: Any = None, *args: Any, **kwargs: Any) -> BatchEncoding:
        """v4: frame, cut and pad ids that are made already; see `from_ids.prepare_for_model`."""
        from .from_ids import prepare_for_model

        return prepare_for_model(self, ids, pair_ids, *args, **kwargs)

    def truncate_sequences(
        self: Any, ids: list[int], pair_ids: list[int] | None = None, *args: Any, **kwargs: Any
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """v4: cut ids that are made already; see `from_ids.truncate_sequences`."""
        from .from_ids import truncate_sequences

        return truncate_sequences(self, ids, pair_ids, *args, **kwargs)

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """v4's way to encode labels: within it, texts are targets. `text_target=` says the same in one call."""
        self._in_target_mode = True
        try:
            yield
        finally:
            self._in_target_mode = False

    @property
    def max_len(self) -> int:
        """Version 2's name of model_max_length."""
        return self.model_max_length

    @property
    def max_model_input_sizes(self) -> dict[str, int]:
        """The name that the tokenizer was loaded by -> its model_max_length."""
        return {self.name_or_path: self.model_max_length}

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """English text without the spaces before its punctuation."""
        return tidy(out_string)
