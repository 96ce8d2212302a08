"""The Rust tokenizer, and the one place that sets its state.

The engine keeps truncation and padding as settings of the whole tokenizer, so a call that sets them changes
the next call, and another thread's. Here they are set and taken back under a lock, and padding is never set:
rows are padded one by one afterwards. The engine shares a batch among all cores, so the lock costs little.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from tokenizers import AddedToken, Encoding, Tokenizer
from tokenizers.processors import PostProcessor

from .texts import explain_bad_text


class _Lock:
    """A lock that a forked process (a data loader's worker) gets open, even if another thread held it just then."""

    all: ClassVar[weakref.WeakSet[_Lock]] = weakref.WeakSet()

    def __init__(self) -> None:
        self.lock = threading.Lock()
        _Lock.all.add(self)

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()

    @classmethod
    def renew_all(cls) -> None:
        for lock in cls.all:
            lock.lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_Lock.renew_all)


BYTE_LEVEL = ("add_prefix_space", "trim_offsets")  # options of byte-level tokenizers


E = TypeVar("E", bound="Engine")


class Engine:
    """A `tokenizers.Tokenizer` at rest: no truncation, no padding, except while a call of ours runs."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        # What the file asked for. It is kept as defaults, for in HF's tokenizers too only the call pads and cuts.
        self.file_truncation: dict[str, Any] | None = tokenizer.truncation
        self.file_padding: dict[str, Any] | None = tokenizer.padding
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self._lock = _Lock()
        self._frame: PostProcessor | None = None  # None: the tokenizer's own

    def with_frame(self, frame: PostProcessor) -> Engine:
        """The same engine with another frame around its texts, such as a target language's."""
        return self._twin(_frame=frame)

    def set_frame(self, frame: PostProcessor | None) -> None:
        """Give the tokenizer another frame for good; not while a call has lent it one of its own."""
        with self._lock:
            self.tokenizer.post_processor = frame

    def _twin(self: E, **changes: Any) -> E:
        """A second engine on the same tokenizer (copy.copy would make a second tokenizer, as pickling does)."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, **changes)
        return twin

    @classmethod
    def of(
        cls, tokenizer_object: Tokenizer | Engine | None, tokenizer_file: str | Path | None, other_files: list[str]
    ) -> Engine:
        """From a constructor's arguments. A caller's Tokenizer is copied, for its settings are its own."""
        if isinstance(tokenizer_object, Engine):
            return tokenizer_object
        if tokenizer_object is not None:
            return cls(Tokenizer.from_str(tokenizer_object.to_str()))
        if tokenizer_file is not None:
            return cls.read(tokenizer_file)
        files = "".join(f"{name}='…', " for name in other_files)
        raise ValueError(
            f"There is no vocabulary. A tokenizer is made from {files}tokenizer_file='…/tokenizer.json' or "
            "tokenizer_object=tokenizers.Tokenizer(…), or with from_pretrained('folder or id')."
        )

    @classmethod
    def read(cls, path: str | Path) -> Engine:
        """From a tokenizer.json. Raises OSError if it cannot be read, ValueError if it is none; both name it."""
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}). {_FETCH_AGAIN}") from error
        try:
            return cls(Tokenizer.from_str(text))
        except Exception as error:  # the engine raises bare Exception
            raise ValueError(
                f"{path}: not a tokenizer.json that the engine can read ({error}). {_FETCH_AGAIN}"
            ) from error

    def encode(
        self,
        rows: list[Any],
        *,
        pretokenized: bool = False,
        add_special_tokens: bool = True,
        split_special_tokens: bool = False,
        truncation: dict[str, Any] | None = None,
    ) -> list[Encoding]:
        """Encode every row (a text, or a pair as a tuple). Raises TypeError or ValueError that names the row."""
        with self._lock:
            self._set(truncation, split_special_tokens)
            own_frame = self.tokenizer.post_processor if self._frame is not None else None
            try:
                if self._frame is not None:
                    self.tokenizer.post_processor = self._frame
                if len(rows) == 1 and type(rows[0]) is str and not pretokenized:  # wakes no other thread
                    return [self.tokenizer.encode(rows[0], None, False, add_special_tokens)]
                return self.tokenizer.encode_batch(rows, pretokenized, add_special_tokens)
            except BaseException as error:
                if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                    raise  # KeyboardInterrupt and the like; a panic of the engine is none of them, yet no Exception
                raise self._explain(error, rows, pretokenized, truncation) from error
            finally:
                if truncation is not None:
                    self.tokenizer.no_truncation()
                if self._frame is not None:
                    self.tokenizer.post_processor = own_frame

    def ids(self, encodings: list[Encoding]) -> list[list[int]]:
        """The ids of what `encode` gave."""
        return [encoding.ids for encoding in encodings]

    def add(self, tokens: list[str | AddedToken], special: bool) -> int:
        """Add tokens behind the vocabulary, and return how many were new."""
        with self._lock:
            return self.tokenizer.add_special_tokens(tokens) if special else self.tokenizer.add_tokens(tokens)

    def set_byte_level(self, asked: dict[str, Any]) -> dict[str, bool]:
        """Put what is asked of BYTE_LEVEL into the byte-level parts; return what holds ({}: there is no such part).

        The prefix space belongs to splitting and to offsets both; trimming is a matter of offsets alone.
        """
        found: dict[str, bool] = {}
        for place, names in (("post_processor", BYTE_LEVEL), ("pre_tokenizer", BYTE_LEVEL[:1])):
            part = getattr(self.tokenizer, place)
            if part is None:
                continue
            state = json.loads(part.__getstate__())
            before = json.dumps(state)
            for inner in state.get("processors", state.get("pretokenizers", [state])):
                if inner["type"] in ("ByteLevel", "RobertaProcessing"):
                    inner.update({name: bool(asked[name]) for name in names if asked.get(name) is not None})
                    found.update({name: inner[name] for name in names})
            if json.dumps(state) != before:
                part.__setstate__(json.dumps(state).encode())
                setattr(self.tokenizer, place, part)
        return found

    def to_json(self, pretty: bool = False) -> str:
        """What tokenizer.json holds."""
        with self._lock:
            return self.tokenizer.to_str(pretty)

    def __getstate__(self) -> dict[str, Any]:
        return {"json": self.to_json(), "split_special": self.tokenizer.encode_special_tokens}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(Tokenizer.from_str(state["json"]))  # type: ignore[misc]
        self.tokenizer.encode_special_tokens = state["split_special"]

    def _set(self, truncation: dict[str, Any] | None, split_special_tokens: bool) -> None:
        engine = self.tokenizer
        if truncation is not None:
            engine.enable_truncation(**truncation)
        elif engine.truncation is not None:  # somebody set it on backend_tokenizer
            engine.no_truncation()
        if engine.padding is not None:
            engine.no_padding()
        if engine.encode_special_tokens != split_special_tokens:
            engine.encode_special_tokens = split_special_tokens

    def _explain(
        self, error: BaseException, rows: list[Any], pretokenized: bool, truncation: dict[str, Any] | None
    ) -> Exception:
        if isinstance(error, TypeError):
            return explain_bad_text(rows, pretokenized) or error
        if truncation is not None and "`stride`" in str(error):
            return ValueError(
                f"stride={truncation['stride']} is too large: of max_length={truncation['max_length']} so little is "
                "left for one text of a pair that its pieces would never move on. Use a smaller stride or a larger "
                "max_length."
            )
        if truncation is not None and "runcation" in str(error):
            return ValueError(
                f"truncation={truncation['strategy']!r} cannot bring every row to max_length="
                f"{truncation['max_length']} ({error}): use truncation='longest_first' or a larger max_length."
            )
        return ValueError(f"The tokenizer's model could not encode the text: {error}.")


_FETCH_AGAIN = "It may be truncated or damaged: download or save it again."
