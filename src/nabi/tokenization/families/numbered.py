"""SentencePiece models cut a text into pieces; a vocab.json gives the pieces their ids. (Marian, M2M100.)

    text -> cutter (the model's engine) -> names of pieces -> numbers (vocab.json) -> ids

The model's own ids mean nothing. Pieces are numbered by name, as the original does: a piece that vocab.json lacks is
the unknown token, and letters that the model does not know have an id if vocab.json happens to hold just them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from tokenizers import AddedToken, Encoding, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Normalizer

from ..decoding import tidy
from ..engine import Engine
from ..fast import PreTrainedTokenizerFast
from ..formats import engine_of, read_sentencepiece
from ..formats.sentencepiece_model import Type
from ..vocabulary_files import read_vocabulary

_UNKNOWN = "\ufdd3"  # for internal use only, and in no text


class Reader(NamedTuple):
    """What reads texts: the engine that cuts them, the ids of what it cuts, and the names of ids."""

    cutter: Engine
    numbers: dict[str, int]
    names: dict[int, str]
    unk_id: int


class NumberedEngine(Engine):
    """`tokenizer` holds names, ids, added tokens and the frame; one of the `readers` encodes with them.

    The ids inside the encodings that it returns are the cutter's: `ids()` gives those of the vocabulary.
    `files`: file name -> content of what it was made from, to be saved again.
    """

    def __init__(self, tokenizer: Tokenizer, readers: Sequence[Reader], files: dict[str, bytes]) -> None:
        super().__init__(tokenizer)
        self.readers = list(readers)
        self.reader = self.readers[0]
        self.files = files

    @classmethod
    def numbering(cls, vocab: dict[str, int], readers: Sequence[Reader], files: dict[str, bytes]) -> NumberedEngine:
        """The engine whose ids are those of `vocab`."""
        tokenizer = Tokenizer(WordLevel(vocab, unk_token=""))
        tokenizer.decoder = readers[-1].cutter.tokenizer.decoder
        return cls(tokenizer, readers, files)

    def with_reader(self, reader: Reader) -> NumberedEngine:
        """The same engine reading texts of another language."""
        return self._twin(reader=reader)

    def encode(self, rows: list[Any], **how: Any) -> list[Encoding]:
        frame = self.tokenizer.post_processor if self._frame is None else self._frame
        cutter = self.reader.cutter
        return (cutter if frame is None else cutter.with_frame(frame)).encode(rows, **how)

    def ids(self, encodings: list[Encoding]) -> list[list[int]]:
        numbers, unk_id = self.reader.numbers, self.reader.unk_id
        return [[numbers.get(token, unk_id) for token in encoding.tokens] for encoding in encodings]

    def add(self, tokens: list[str | AddedToken], special: bool) -> int:
        new = super().add(tokens, special)
        raw: list[str | AddedToken] = [matched_raw(token, special) for token in tokens]
        ids = {str(token): self.tokenizer.token_to_id(str(token)) for token in tokens}
        known = {token: token_id for token, token_id in ids.items() if token_id is not None}
        for reader in self.readers:
            reader.cutter.add(raw, special)
            reader.numbers.update(known)
            reader.names.update({token_id: token for token, token_id in known.items()})
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {"json": self.to_json(), "readers": self.readers, "files": self.files}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(Tokenizer.from_str(state["json"]), state["readers"], state["files"])  # type: ignore[misc]


def matched_raw(token: str | AddedToken, special: bool) -> AddedToken:
    """The token, found in a text before the model's normalization, as the original finds any token."""
    if isinstance(token, str):
        return AddedToken(token, normalized=False, special=special)
    return AddedToken(**{**token.__getstate__(), "normalized": False, "special": special or token.special})


class NumberedTokenizerFast(PreTrainedTokenizerFast):
    """What Marian's and M2M100's tokenizers share. From a tokenizer.json they are tokenizers like any other."""

    behind_special: ClassVar[str] = ""  # what a decoded text has behind a special token

    @classmethod
    def read_model(cls, files: dict[str, Any], name: str, before: Sequence[Normalizer] = ()) -> Engine:
        """The cutter of one of the files. Control symbols have no place in it, nor has the unknown piece's name: texts
        that spell them are texts."""
        model = read_sentencepiece(files[name])
        kinds = zip(model.pieces, model.types, strict=True)
        found = [piece for piece, kind in kinds if kind not in (Type.UNKNOWN, Type.CONTROL, Type.UNUSED)]
        return Engine(engine_of(model, [_UNKNOWN, *found], unk_token=_UNKNOWN, before=before))

    @classmethod
    def check_files(cls, files: dict[str, Any], needed: Sequence[str]) -> None:
        """Raise OSError that says which files are missing."""
        missing = [name for name in needed if name not in files]
        if missing:
            raise FileNotFoundError(
                f"{cls.__name__} is made from {', '.join(cls.vocab_files_names[name] for name in needed)}, but there "
                f"is no {' and no '.join(f'{cls.vocab_files_names[name]} ({name}=…)' for name in missing)}. Put all of "
                "them, from one checkpoint, into the folder, or pass their paths."
            )

    @classmethod
    def read_numbers(cls, source: Any, unk_token: str) -> dict[str, int]:
        """A vocab.json. Raises ValueError if it has gaps, repeats, or no unknown token."""
        vocab = read_vocabulary(source)
        if unk_token not in vocab:
            place = source if isinstance(source, (str, Path)) else "vocab"
            raise ValueError(
                f"{place}: there is no unknown token {unk_token!r} among its {len(vocab)} pieces, and pieces of the "
                "models that are not in it would have no id. If it has another name there, pass unk_token=…."
            )
        return dict(vocab)

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """As always, but an id that no piece has (a model may have room for more) is the unknown token."""
        tokens = super().convert_ids_to_tokens(ids, skip_special_tokens)
        if isinstance(tokens, list):
            return [self.unk_token if token is None else token for token in tokens]
        return self.unk_token if tokens is None else tokens

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        special = set(self.all_special_tokens)
        parts = []
        for is_special, run in groupby(tokens, key=special.__contains__):
            if is_special:
                parts += [token + self.behind_special for token in run]
            else:
                parts.append(super().convert_tokens_to_string(list(run)))
        return "".join(parts).strip()

    def _decode_row(self, ids: Any, skip_special_tokens: bool, clean_up: bool, **kwargs: Any) -> str:
        ids = [ids] if isinstance(ids, int) else ids
        super()._decode_row(ids, skip_special_tokens, False)  # refuses what is no id
        names = kwargs.get("names")
        if names is None:
            tokens = self.convert_ids_to_tokens(ids, skip_special_tokens)
        else:
            skipped = set(self.all_special_ids) if skip_special_tokens else ()
            tokens = [names.get(token_id, self.unk_token) for token_id in ids if token_id not in skipped]
        text = self.convert_tokens_to_string(tokens)
        return tidy(text) if clean_up else text

    def train_new_from_iterator(self, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self._engine, NumberedEngine):
            return super().train_new_from_iterator(*args, **kwargs)
        raise NotImplementedError(
            f"{type(self).__name__} cuts texts with SentencePiece models, which only sentencepiece trains. For a new "
            "model, nabi.tokenization.train('unigram', …) makes a tokenizer with one vocabulary for both languages."
        )

    def save_vocabulary(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        from ..saving import write_vocabulary

        return write_vocabulary(Path(save_directory), filename_prefix, self._vocabulary_contents())

    def _vocabulary_contents(self) -> dict[str, bytes]:
        return self._engine.files if isinstance(self._engine, NumberedEngine) else super()._vocabulary_contents()

    def _saved_class(self) -> str:
        """HF's classes of these names read no tokenizer.json."""
        return super()._saved_class() if isinstance(self._engine, NumberedEngine) else "PreTrainedTokenizerFast"


def contents(source: Any) -> bytes:
    """The content of a file, or of a vocabulary that was given itself."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source).read_bytes()
    return (json.dumps(source, indent=2, ensure_ascii=False) + "\n").encode()
