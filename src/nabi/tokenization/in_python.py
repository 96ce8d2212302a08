"""Tokenizers that people write in Python: a subclass of PreTrainedTokenizer says how a text becomes tokens.

It gives `_tokenize(text)`, `_convert_token_to_id(token)`, `_convert_id_to_token(id)`, `get_vocab()` and
`save_vocabulary(folder)`, and where special tokens stand by `build_inputs_with_special_tokens` and
`create_token_type_ids_from_sequences`. Padding, cutting and all else is done as for every tokenizer, by an engine of
whole words whose words are those tokens. Offsets into the text are not known, so `is_fast` is False.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordLevel

from .engine import Engine
from .fast import PreTrainedTokenizerFast
from .frames import own_frame
from .loading import ADDED
from .tensors import to_list
from .texts import explain_bad_text


class _AnyTokenizer(type):
    """`isinstance(tokenizer, PreTrainedTokenizer)` asks for any tokenizer: slow and fast names are one class here."""

    def __instancecheck__(cls, instance: Any) -> bool:
        asked = PreTrainedTokenizerFast if cls.__name__ == "PreTrainedTokenizer" else cls
        return super().__instancecheck__(instance) or (asked is not cls and isinstance(instance, asked))


class PreTrainedTokenizer(PreTrainedTokenizerFast, metaclass=_AnyTokenizer):
    """The base of tokenizers in Python. The vocabulary may be read before super().__init__ or after it: the engine is
    made when it is first needed."""

    vocab_files_names = {}
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    is_fast = False
    _made: Engine | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        if type(self) is PreTrainedTokenizer:
            raise TypeError(
                "PreTrainedTokenizer is the base of tokenizers in Python: subclass it with _tokenize and get_vocab, or "
                "load a tokenizer by AutoTokenizer.from_pretrained(name_or_path)"
            )
        if args:
            raise TypeError(f"{type(self).__name__}: super().__init__ takes keywords only")
        self._options = dict(options)
        from .special_tokens import SpecialTokens

        self.special = SpecialTokens.taken_from(dict(options))  # a subclass may ask for them before it has words

    def __getattr__(self, name: str) -> Any:
        """What the engine brings is there once it is asked for."""
        if name.startswith("__") or "_options" not in vars(self) or self._made is not None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        self._make()
        return getattr(self, name)

    @property
    def _engine(self) -> Engine:  # type: ignore[override]
        if self._made is None:
            self._make()
        assert self._made is not None
        return self._made

    @_engine.setter
    def _engine(self, engine: Engine) -> None:
        self._made = engine

    def _make(self) -> None:
        words = {token: number for token, number in self._words().items() if isinstance(number, int)}
        unknown = str(self._options.get("unk_token") or "")
        model = WordLevel(words, unk_token=unknown)
        self._made = _PythonEngine(Tokenizer(model), self)  # so that nobody makes it twice
        PreTrainedTokenizerFast.__init__(self, tokenizer_object=self._made, **self._options)
        self._engine.set_frame(own_frame(self))

    def _words(self) -> dict[str, int]:
        """The subclass's own words; its get_vocab may ask for the added ones, of which there are none yet."""
        self._made = _PythonEngine(Tokenizer(WordLevel({}, unk_token="")), self)
        try:
            return dict(self.get_vocab())
        finally:
            self._made = None

    # --- what a subclass says -------------------------------------------------------------------------------

    def _tokenize(self, text: str, **options: Any) -> list[str]:
        raise NotImplementedError(f"{type(self).__name__} must say in _tokenize(text) how a text becomes tokens")

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.get_vocab().get(token)

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.backend_tokenizer.id_to_token(index)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return token_ids_0 + (token_ids_1 or [])

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        whole = self.build_inputs_with_special_tokens(token_ids_0, token_ids_1)
        second = len(token_ids_1 or [])
        return [0] * len(whole) if not second else [0] * (len(whole) - second) + [1] * second

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens)

    def prepare_for_tokenization(self, text: str, is_split_into_words: bool = False, **options: Any) -> tuple[str, Any]:
        return text, options

    # --- what that makes ------------------------------------------------------------------------------------

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **options: Any) -> list[str]:
        """Tokens of a text, the added ones whole."""
        return [token for part in (text, pair) if part is not None for token in self._cut(part)]

    def _cut(self, text: str, **how: Any) -> list[str]:
        """Tokens of one text; `how` goes to `_tokenize`."""
        text, _ = self.prepare_for_tokenization(text)
        added = sorted(self.added_tokens_encoder, key=len, reverse=True)
        parts = re.split(f"({'|'.join(map(re.escape, added))})", text) if added else [text]
        return [
            token
            for part in parts
            for token in ([part] if part in added else self._tokenize(part, **how) if part else [])
        ]

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        if tokens is None or not isinstance(tokens, str):
            return None if tokens is None else [self.convert_tokens_to_ids(token) for token in tokens]
        added = self.added_tokens_encoder.get(tokens)
        return self._convert_token_to_id(tokens) if added is None else added

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        ids = to_list(ids)
        if isinstance(ids, int):
            added = self.added_tokens_decoder.get(ids)
            return self._convert_id_to_token(ids) if added is None else str(added)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [self.convert_ids_to_tokens(int(number)) for number in ids if number not in skipped]

    def _decode_row(self, ids: Any, skip_special_tokens: bool, clean_up: bool, **options: Any) -> Any:
        from .decoding import tidy

        tokens = self.convert_ids_to_tokens(to_list(ids), skip_special_tokens)
        text = self.convert_tokens_to_string([str(token) for token in tokens])
        return tidy(text) if clean_up else text

    def save_vocabulary(self, save_directory: Any, filename_prefix: str | None = None) -> tuple[str, ...]:
        raise NotImplementedError(f"{type(self).__name__} must write its words in save_vocabulary(folder)")

    def save_pretrained(self, save_directory: str | os.PathLike[str], *args: Any, **options: Any) -> tuple[str, ...]:
        """Write tokenizer_config.json, special_tokens_map.json, and what save_vocabulary writes."""
        files = super().save_pretrained(save_directory, *args, **options)
        own = self._words_added()
        if own:
            (Path(save_directory) / ADDED).write_text(json.dumps(own, ensure_ascii=False), encoding="utf-8")
        return (*files, *self.save_vocabulary(str(save_directory)))

    def _words_added(self) -> dict[str, int]:
        return {token: number for token, number in self.added_tokens_encoder.items() if number >= self.vocab_size}

    def _vocabulary_contents(self) -> dict[str, bytes]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        options = dict(self._options)
        if self._made is not None:
            options["added_tokens_decoder"] = self.added_tokens_decoder
        return {**vars(self), "_made": None, "_options": options}


class _PythonEngine(Engine):
    """An engine whose texts are cut by the tokenizer's own `_tokenize`."""

    def __init__(self, tokenizer: Tokenizer, owner: PreTrainedTokenizer) -> None:
        super().__init__(tokenizer)
        self.owner = owner

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "owner": self.owner}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(Tokenizer.from_str(state["json"]), state["owner"])  # type: ignore[misc]
        self.tokenizer.encode_special_tokens = state["split_special"]

    def encode(self, rows: list[Any], *, pretokenized: bool = False, **options: Any) -> list[Encoding]:
        bad = explain_bad_text(rows, pretokenized)  # else a subclass's _tokenize fails on it, and names no text
        if bad is not None:
            raise bad
        return super().encode([self._words(row, pretokenized) for row in rows], pretokenized=True, **options)

    def _words(self, row: Any, pretokenized: bool) -> Any:
        if isinstance(row, tuple):
            return tuple(self._words(part, pretokenized) for part in row)
        texts = row if pretokenized else [row]
        return [self._known(token) for text in texts for token in self.owner._cut(text)]

    def _known(self, token: str) -> str:
        """The token, or where the subclass has an id for one that its vocabulary has not, the word of that id."""
        if self.tokenizer.token_to_id(token) is not None:
            return token
        number = self.owner._convert_token_to_id(token)
        return token if number is None else self.tokenizer.id_to_token(number) or token
