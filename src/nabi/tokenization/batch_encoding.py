"""BatchEncoding: what a tokenizer returns. A dict of lists or tensors that knows where each token came from."""

from __future__ import annotations

import logging
from collections import UserDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from tokenizers import Encoding

from .tensors import as_tensor, tensor_kind

logger = logging.getLogger(__name__)


class CharSpan(NamedTuple):
    """Characters `start` up to but without `end` of a text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens `start` up to but without `end` of an encoded row."""

    start: int
    end: int


class BatchEncoding(UserDict):
    """Keys such as `input_ids` and `attention_mask`, read as `batch["input_ids"]` or `batch.input_ids`.

    `batch[0]` is the engine's `Encoding` of row 0. The methods that map between tokens, words and characters
    take `(index)` for row 0 or `(row, index)`; those that start from a word or a character also take
    `sequence_index`, 1 for the second text of a pair. A result of None means: there is no such thing there.
    """

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        encoding: Encoding | Sequence[Encoding] | None = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        self.data = dict(data) if data else {}  # UserDict's own way sets key by key, at every call's cost
        self._encodings = [encoding] if isinstance(encoding, Encoding) else encoding
        if n_sequences is None and self._encodings:
            n_sequences = self._encodings[0].n_sequences
        self._n_sequences = n_sequences
        if tensor_type is not None:
            self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getitem__(self, item: str | int | slice) -> Any:
        if isinstance(item, str):
            return self.data[item]
        if self._encodings is not None:
            return self._encodings[item]
        if isinstance(item, slice):
            return {key: value[item] for key, value in self.data.items()}
        raise KeyError(f"{item!r}: a BatchEncoding without encodings takes a key {sorted(self.data)} or a slice.")

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("data", {})  # while unpickling there is none yet
        if name in data:
            return data[name]
        raise AttributeError(f"BatchEncoding has no attribute and no key {name!r}; its keys are {sorted(data)}.")

    def __getstate__(self) -> dict[str, Any]:
        encodings = None if self._encodings is None else list(self._encodings)
        return {"data": self.data, "encodings": encodings, "n_sequences": self._n_sequences}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state["data"]
        self._encodings = state["encodings"]
        self._n_sequences = state["n_sequences"]

    @property
    def n_sequences(self) -> int | None:
        """1 for single texts, 2 for pairs, None if unknown."""
        return self._n_sequences

    @property
    def is_fast(self) -> bool:
        """Whether the engine's encodings are here, so that the mapping methods work."""
        return self._encodings is not None

    @property
    def encodings(self) -> Sequence[Encoding] | None:
        """The engine's `Encoding` of each row, or None."""
        return self._encodings

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row, special and padding tokens included."""
        return self._row(batch_index).tokens

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row 0 or 1, the text of the pair it is from; None for special tokens."""
        return self._row(batch_index).sequence_ids

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row the index of its word; None for special tokens."""
        return self._row(batch_index).word_ids

    words = word_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        row, token = self._token(batch_or_token_index, token_index)
        return row.token_to_sequence(token)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        row, token = self._token(batch_or_token_index, token_index)
        return row.token_to_word(token)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        row, token = self._token(batch_or_token_index, token_index)
        span = row.token_to_chars(token)
        return None if span is None else CharSpan(*span)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        row, word = self._row_and_index(batch_or_word_index, word_index)
        span = row.word_to_tokens(word, sequence_index)
        return None if span is None else TokenSpan(*span)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        row, word = self._row_and_index(batch_or_word_index, word_index)
        span = row.word_to_chars(word, sequence_index)
        return None if span is None else CharSpan(*span)

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        row, char = self._row_and_index(batch_or_char_index, char_index)
        return row.char_to_token(char, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        row, char = self._row_and_index(batch_or_char_index, char_index)
        return row.char_to_word(char, sequence_index)

    def convert_to_tensors(self, tensor_type: str | None = None, prepend_batch_axis: bool = False) -> BatchEncoding:
        """Turn every value into a tensor in place: "pt" or "np" (None: nothing). Raises ValueError on ragged rows."""
        kind = tensor_kind(tensor_type)
        if kind is None:
            return self
        self.data = {
            key: as_tensor(key, [value] if prepend_batch_axis else value, kind) for key, value in self.data.items()
        }
        return self

    def to(self, device: Any, *, non_blocking: bool = False) -> BatchEncoding:
        """Move the tensors to a device (what is no tensor stays as it is) and return self."""
        import torch

        if isinstance(device, torch.dtype):
            # Casting ids to half would ruin them; some tools call `.to(dtype)` on every input of a model.
            logger.warning("BatchEncoding.to(%s) does nothing: it moves to a device and never casts ids.", device)
            return self
        self.data = {
            key: value.to(device, non_blocking=non_blocking) if isinstance(value, torch.Tensor) else value
            for key, value in self.data.items()
        }
        return self

    def _row(self, index: int) -> Encoding:
        if not self._encodings:
            raise ValueError(
                "This BatchEncoding holds no encodings (it was made by pad() or by hand), so it cannot map tokens "
                "to text: use the one that the tokenizer's call returned."
            )
        return self._encodings[index]

    def _row_and_index(self, first: int, second: int | None) -> tuple[Encoding, int]:
        return (self._row(0), first) if second is None else (self._row(first), second)

    def _token(self, first: int, second: int | None) -> tuple[Encoding, int]:
        row, token = self._row_and_index(first, second)
        return row, token + len(row) if token < 0 else token
