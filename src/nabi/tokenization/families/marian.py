"""Marian (OPUS-MT): one model for the source language, one for the target, and one vocab.json for both."""

from __future__ import annotations

import re
from typing import Any

from tokenizers import AddedToken, Regex, normalizers

from ..engine import Engine
from .numbered import NumberedEngine, NumberedTokenizerFast, Reader, contents

_MARK = "\ufdd2"  # a code point that is for internal use only, and in no text: before a language code, or for one


class MarianTokenizerFast(NumberedTokenizerFast):
    """`text </s>`; from `source_spm`, `target_spm`, `vocab` (vocab.json) and, with `separate_vocabs=True`, a
    `target_vocab_file` whose ids the target texts have.

    Texts are cut by the source language's model, `text_target=` and texts within `as_target_tokenizer()` by the
    target's. A language code at the beginning (">>kor<< …", see `supported_language_codes`) is one token; one that the
    vocabulary lacks is the unknown token. Punctuation is taken as it is written: HF's class normalizes it first where
    sacremoses is installed, and not where it is not. Raises OSError for missing files and ValueError for damaged ones.
    """

    vocab_files_names = {
        "source_spm": "source.spm",
        "target_spm": "target.spm",
        "vocab": "vocab.json",
        "target_vocab_file": "target_vocab.json",
    }
    behind_special = " "
    frames = ("$A {eos}", "$A $B {eos}")
    defaults = {
        "unk_token": "<unk>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "model_max_length": 512,
        "separate_vocabs": False,
        "source_lang": None,
        "target_lang": None,
    }

    separate_vocabs: bool
    source_lang: str | None
    target_lang: str | None

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Engine:
        needed = ["source_spm", "target_spm", "vocab"] + ["target_vocab_file"] * bool(options["separate_vocabs"])
        cls.check_files(files, needed)
        unk = str(options["unk_token"])
        vocab = cls.read_numbers(files["vocab"], unk)
        target_vocab = cls.read_numbers(files["target_vocab_file"], unk) if options["separate_vocabs"] else dict(vocab)
        readers = [
            cls._reader(files, name, numbers, unk)
            for name, numbers in (("source_spm", vocab), ("target_spm", target_vocab))
        ]
        kept = {cls.vocab_files_names[name]: contents(files[name]) for name in needed}
        return NumberedEngine.numbering(vocab, readers, kept)

    @classmethod
    def _reader(cls, files: dict[str, Any], name: str, numbers: dict[str, int], unk: str) -> Reader:
        """A model that takes a language code at a text's beginning whole, and nowhere else.

        There the normalizer writes a mark before it, or instead of a code that the vocabulary lacks. The engine finds
        an added token in the form that the normalizer gives it, so the codes are only found with their mark.
        """
        codes = [piece for piece in numbers if _is_code(piece)]
        known = "|".join(re.escape(code[1:]) for code in codes)
        marked = [normalizers.Replace(Regex(rf"\A>(?={known})"), _MARK + ">")] if codes else []
        cutter = cls.read_model(files, name, [*marked, normalizers.Replace(Regex(r"\A>>(?m:.*?)<<"), _MARK + "<<")])
        cutter.add([AddedToken(token, normalized=True) for token in [*codes, _MARK + "<<"]], special=False)
        normalizer = cutter.tokenizer.normalizer
        spelled = {normalizer.normalize_str(code): numbers[code] for code in codes}
        return Reader(
            cutter, {**numbers, **spelled}, {number: piece for piece, number in numbers.items()}, numbers[unk]
        )

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        self.separate_vocabs = bool(options["separate_vocabs"])
        self.source_lang, self.target_lang = options["source_lang"], options["target_lang"]

    @property
    def supported_language_codes(self) -> list[str]:
        """The codes that a text may begin with, to say which language it is to be translated into."""
        vocab = {} if self.separate_vocabs else self.get_vocab()
        return sorted(filter(_is_code, vocab), key=vocab.__getitem__)

    def get_src_vocab(self) -> dict[str, int]:
        """Token -> id in source texts; in target texts as well, unless the vocabularies are separate."""
        return self.get_vocab()

    def get_tgt_vocab(self) -> dict[str, int]:
        """Token -> id in target texts."""
        target = self._target()
        if target is None:
            return self.get_vocab()
        return {piece: number for number, piece in target.names.items()}

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **kwargs: Any) -> list[str]:
        encoding = self(text, pair, add_special_tokens=add_special_tokens, **kwargs)[0]
        tokens, texts = encoding.tokens, (text, pair)
        for place, token in enumerate(tokens):
            if token.startswith(_MARK):  # a code, at the beginning or behind a special token, where a part begins
                before = encoding.offsets[place - 1][1] if place else 0
                code = texts[encoding.token_to_sequence(place) or 0]
                tokens[place] = code[before : encoding.offsets[place][1]] if isinstance(code, str) else token[1:]
        return tokens

    def _decode_row(
        self, ids: Any, skip_special_tokens: bool, clean_up: bool, use_source_tokenizer: bool = False, **kwargs: Any
    ) -> str:
        """Separate vocabularies: the target's pieces, or the source's with `use_source_tokenizer=True`."""
        target = self._target()
        if self.separate_vocabs and target is not None and not use_source_tokenizer:
            kwargs["names"] = target.names
        return super()._decode_row(ids, skip_special_tokens, clean_up, **kwargs)

    def _target(self) -> Reader | None:
        """What reads target texts; None for a tokenizer read from tokenizer.json."""
        return self._engine.readers[1] if isinstance(self._engine, NumberedEngine) else None

    def _target_engine(self) -> Engine:
        target = self._target()
        return self._engine if target is None else self._engine.with_reader(target)  # type: ignore[attr-defined]


MarianTokenizer = MarianTokenizerFast


def _is_code(piece: str) -> bool:
    return piece.startswith(">>") and piece.endswith("<<")
