"""SigLIP: T5's pieces of a text without punctuation, in lower case.

HF's class alone says what the ids are, so it is followed where T5's differ: only a text's beginning has a "▁" of its
own, and a text that ends in `</s>` gets no second one.
"""

from __future__ import annotations

import os
import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Encoding, Regex, Tokenizer, decoders, normalizers, pre_tokenizers

from ..decoding import tidy
from ..engine import Engine
from ..formats.sentencepiece_engine import engine_of
from ..formats.sentencepiece_model import SPACE, Type, read_sentencepiece
from ..tensors import to_list
from .numbered import matched_raw
from .sentencepiece import SentencePieceTokenizerFast

_LEFT_OUT = re.escape(string.punctuation)
_WHITE = r"\s\x1c-\x1f"
# A code point for internal use only, and in no text: where a text (or what follows a special token) begins. Only the
# beginning of a text gets a "▁", and the engine knows it by its place in the text, which this sign keeps where what
# stood there is left out.
_START = "\ufdd4"


class SiglipEngine(Engine):
    """An engine that remembers its `.model` (`content`), and takes one `eos` off a text's end, where the frame puts
    one."""

    def __init__(self, tokenizer: Tokenizer, content: bytes, eos: str) -> None:
        super().__init__(tokenizer)
        self.content, self.eos = content, eos

    def encode(self, rows: list[Any], *, add_special_tokens: bool = True, **how: Any) -> list[Encoding]:
        if add_special_tokens:
            rows = [self._without_eos(row) for row in rows]
        return super().encode(rows, add_special_tokens=add_special_tokens, **how)

    def _without_eos(self, row: Any) -> Any:
        """The text, or its parts; of words the last."""
        if isinstance(row, str):
            bare = row.rstrip()
            return bare.removesuffix(self.eos).rstrip() if bare.endswith(self.eos) else row
        if isinstance(row, tuple):
            return tuple(self._without_eos(part) for part in row)
        if isinstance(row, list) and row:
            return [*row[:-1], self._without_eos(row[-1])]
        return row

    def add(self, tokens: list[str | AddedToken], special: bool) -> int:
        """Added tokens are looked for before the normalizer leaves out their brackets."""
        return super().add([matched_raw(token, special) for token in tokens], special)

    def __getstate__(self) -> dict[str, Any]:
        return {"json": self.to_json(), "content": self.content, "eos": self.eos}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(Tokenizer.from_str(state["json"]), state["content"], state["eos"])  # type: ignore[misc]


class SiglipTokenizerFast(SentencePieceTokenizerFast):
    """`text </s> pair </s>` from a `vocab_file` (spiece.model); `do_lower_case` (True). ASCII's punctuation is left
    out, white space is one space. Padding is `</s>`; the model wants `padding="max_length"`, which is 64.

    A tokenizer.json beside the model is not used: HF's class reads none, and those that there are read otherwise.
    """

    vocab_files_names = {"vocab_file": "spiece.model"}
    frames = ("$A {eos}", "$A {eos} $B {eos}")
    defaults = {
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "</s>",
        "model_max_length": 64,
        "do_lower_case": True,
    }

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Engine:  # type: ignore[override]
        model = read_sentencepiece(files["vocab_file"])
        control = model.of_type(Type.CONTROL)  # in a text they are letters; the named ones are added as special tokens
        unused = [Type.UNUSED if kind == Type.CONTROL else kind for kind in model.types]
        lowered = [normalizers.Lowercase()] if options["do_lower_case"] else []
        before = [
            normalizers.Replace(SPACE, " "),
            *lowered,
            normalizers.Replace(Regex(rf"\A[{_LEFT_OUT}]"), " "),  # for _START stands where the first sign stood
            normalizers.Prepend(_START + " "),
            normalizers.Replace(Regex(f"[{_LEFT_OUT}]"), ""),
            normalizers.Replace(Regex(f"[{_WHITE}]+"), " "),
        ]
        split = [
            pre_tokenizers.Metaspace(SPACE, "first", split=False),
            pre_tokenizers.Split(Regex(rf"\A(?:{SPACE}{_START}|{_START}{SPACE}?)"), "removed"),
        ]
        tokenizer = engine_of(replace(model, types=unused), before=before, split=split, prefix="never")
        silent = [decoders.Replace(piece, "") for piece in control if piece != options["eos_token"]]
        tokenizer.decoder = decoders.Sequence([*silent, tokenizer.decoder])
        return SiglipEngine(tokenizer, Path(files["vocab_file"]).read_bytes(), str(options["eos_token"]))

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        super().configure(given, options)
        self.do_lower_case = bool(options["do_lower_case"])

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **kwargs: Any) -> list[str]:
        tokens = super().tokenize(text, pair, add_special_tokens, **kwargs)
        special = set(self.all_special_tokens)  # in most checkpoints white space around them belongs to them
        return [token.strip() if token.strip() in special else token for token in tokens]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        special = set(self.all_special_tokens)
        text = ""
        run: list[str] = []
        for token in tokens:
            if token in special:
                text += (" " if run else "") + super().convert_tokens_to_string(run) + token
                run = []
            else:
                run.append(token)
        return (text + super().convert_tokens_to_string(run)).strip()

    def _decode_row(self, ids: Any, skip_special_tokens: bool, clean_up: bool, **kwargs: Any) -> str:
        ids = [ids] if isinstance(ids, int) else to_list(ids)
        super()._decode_row(ids, skip_special_tokens, False)  # refuses what is no id
        tokens = self.convert_ids_to_tokens(ids, skip_special_tokens)
        text = self.convert_tokens_to_string([token for token in tokens if token is not None])
        return tidy(text) if clean_up else text

    # --- files

    def save_vocabulary(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        from ..saving import write_vocabulary

        return write_vocabulary(Path(save_directory), filename_prefix, self._vocabulary_contents())

    def _vocabulary_contents(self) -> dict[str, bytes]:
        if isinstance(self._engine, SiglipEngine):
            return {"spiece.model": self._engine.content}
        return super()._vocabulary_contents()

    def _saved_class(self) -> str:
        """HF's class reads no tokenizer.json."""
        return "SiglipTokenizer" if isinstance(self._engine, SiglipEngine) else super()._saved_class()


SiglipTokenizer = SiglipTokenizerFast
