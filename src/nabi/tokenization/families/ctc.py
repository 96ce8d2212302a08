"""Wav2Vec2's letters: what a model of speech spells, one id every 20 milliseconds, and what was meant by it.

H H <pad> E L L <pad> L O O | |   ->   repeats joined, pads (CTC's blanks) dropped, "|" as space   ->   HELLO
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

from ...outputs import ModelOutput
from ..decoding import tidy
from ..fast import PreTrainedTokenizerFast
from ..vocabulary_files import checked_ids, read_vocab_json, read_vocabulary

Offsets = list[dict[str, Any]]


class Wav2Vec2CTCTokenizerOutput(ModelOutput):
    """A text (or a list of them) with what was asked for: where its characters and words lie, in ids."""

    text: Any
    char_offsets: Any
    word_offsets: Any


class Wav2Vec2CTCTokenizerFast(PreTrainedTokenizerFast):
    """Letters, with `word_delimiter_token` ("|") for the space, from a `vocab_file` (vocab.json) or a `vocab`.

    `do_lower_case` (False): texts may be in lower case, the vocabulary is in upper case, and decoded text is lowered.
    `replace_word_delimiter_char` (" ") is what the delimiter becomes in text. `target_lang` names one of a
    multilingual vocabulary (language -> letters); `set_target_lang` changes it.
    """

    vocab_files_names = {"vocab_file": "vocab.json", "tokenizer_file": "tokenizer.json"}
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "word_delimiter_token": "|",
        "replace_word_delimiter_char": " ",
        "do_lower_case": False,
        "target_lang": None,
    }

    do_lower_case: bool
    word_delimiter_token: str
    replace_word_delimiter_char: str
    target_lang: str | None

    def __init__(self, *vocabulary: Any, **options: Any) -> None:
        self._languages: dict[str, dict[str, int]] = {}
        super().__init__(*vocabulary, **options)
        self.init_kwargs["word_delimiter_token"] = self.word_delimiter_token  # a letter, so no special token

    def _vocabulary_files(self, positional: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Of a multilingual vocabulary, the language asked for."""
        files = super()._vocabulary_files(positional, options)
        source = files.get("vocab_file")
        place = str(source) if isinstance(source, (str, Path)) else "vocab"
        vocab = read_vocab_json(source) if isinstance(source, (str, Path)) else source
        if isinstance(vocab, dict) and vocab and all(isinstance(letters, dict) for letters in vocab.values()):
            self._languages = {name: checked_ids(letters, f"{place}, {name}") for name, letters in vocab.items()}
            return {"vocab_file": self._letters_of(options.get("target_lang"))}
        if options.get("target_lang") is not None and vocab is not None:
            raise ValueError(
                f"target_lang={options['target_lang']!r}, but {place} holds one vocabulary, not one for each language: "
                "leave target_lang out."
            )
        if vocab is None:
            return files
        return {"vocab_file": checked_ids(vocab, place) if isinstance(vocab, dict) else read_vocabulary(vocab)}

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        vocab = files["vocab_file"]
        tokenizer = Tokenizer(WordLevel(vocab, unk_token=str(options["unk_token"])))
        delimiter = str(options["word_delimiter_token"])
        raised = _raised(vocab) if options["do_lower_case"] else []
        tokenizer.normalizer = normalizers.Sequence([*raised, normalizers.Replace(" ", delimiter)])
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
        whole = [piece for piece in vocab if len(piece) > 1]
        tokenizer.add_tokens([AddedToken(piece, lstrip=True, rstrip=True, normalized=False) for piece in whole])
        return tokenizer

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        self.word_delimiter_token = str(options.pop("word_delimiter_token"))
        self.replace_word_delimiter_char = options["replace_word_delimiter_char"]
        self.do_lower_case = bool(options["do_lower_case"])
        self.target_lang = options["target_lang"]

    @property
    def word_delimiter_token_id(self) -> int | None:
        return self.convert_tokens_to_ids(self.word_delimiter_token)

    def set_target_lang(self, target_lang: str) -> None:
        """Take the letters of another language. Raises ValueError if the vocabulary has no such language."""
        if not self._languages:
            raise ValueError("This vocabulary is of one language; there is no other to set.")
        letters = self._letters_of(target_lang)
        options = {**self.init_kwargs, "unk_token": self.unk_token, "word_delimiter_token": self.word_delimiter_token}
        self._engine.tokenizer = self.build({"vocab_file": letters}, options)
        self._add_missing()
        self.target_lang = self.init_kwargs["target_lang"] = target_lang

    def _letters_of(self, language: Any) -> dict[str, int]:
        if language not in self._languages:
            raise ValueError(
                f"target_lang={language!r}: the vocabulary has letters for each of {', '.join(self._languages)}. Name "
                "one of them, as in from_pretrained(…, target_lang='kor')."
            )
        return self._languages[language]

    def _check_words(self) -> None:
        raise ValueError(
            "Letters are read one by one and spaces count, so lists of words are not taken: join them, ' '.join(words)."
        )

    # --- ids -> text

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Each row's text; with `output_char_offsets` or `output_word_offsets` one output of lists."""
        rows = [self.decode(row, skip_special_tokens, clean_up_tokenization_spaces, **kwargs) for row in sequences]
        if not (kwargs.get("output_char_offsets") or kwargs.get("output_word_offsets")):
            return rows
        return Wav2Vec2CTCTokenizerOutput({key: [row[key] for row in rows] for key in rows[0]} if rows else {})

    def _decode_row(
        self,
        ids: Any,
        skip_special_tokens: bool,
        clean_up: bool,
        *,
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """One row's text; with offsets a Wav2Vec2CTCTokenizerOutput. `group_tokens=False` keeps repeated letters."""
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids)
        if skip_special_tokens:
            special = set(self.all_special_tokens) - {self.word_delimiter_token}
            tokens = [token for token in tokens if token not in special]
        spelled = self.convert_tokens_to_string(
            tokens, group_tokens, spaces_between_special_tokens, output_char_offsets, output_word_offsets
        )
        text = tidy(spelled["text"]) if clean_up else spelled["text"]
        if not (output_char_offsets or output_word_offsets):
            return text
        return Wav2Vec2CTCTokenizerOutput({**spelled, "text": text})

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """As ever, but an id that is none is the unknown token, for models may have more outputs than letters."""
        tokens = super().convert_ids_to_tokens(ids, skip_special_tokens)
        if isinstance(tokens, list):
            return [self.unk_token if token is None else token for token in tokens]
        return self.unk_token if tokens is None else tokens

    def convert_tokens_to_string(  # type: ignore[override]
        self,
        tokens: list[str],
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
    ) -> dict[str, Any]:
        """What the tokens spell: {"text", "char_offsets", "word_offsets"}, the last two None unless asked for."""
        characters: Offsets = []
        position = 0
        for token, run in groupby(tokens) if group_tokens else ((token, [token]) for token in tokens):
            length = len(list(run))
            if token != self.pad_token:
                shown = self.replace_word_delimiter_char if token == self.word_delimiter_token else token
                characters.append({"char": shown, "start_offset": position, "end_offset": position + length})
            position += length
        text = (" " if spaces_between_special_tokens else "").join(entry["char"] for entry in characters).strip()
        return {
            "text": text.lower() if self.do_lower_case else text,
            "char_offsets": characters if output_char_offsets else None,
            "word_offsets": _words(characters, self.replace_word_delimiter_char) if output_word_offsets else None,
        }

    # --- files

    def _vocabulary_contents(self) -> dict[str, bytes]:
        """vocab.json: HF's class reads no tokenizer.json, and only here all languages have room."""
        vocab: dict[str, Any] = self._languages or self.backend_tokenizer.get_vocab(with_added_tokens=False)
        if not self._languages:
            vocab = dict(sorted(vocab.items(), key=lambda entry: entry[1]))
        return {"vocab.json": (json.dumps(vocab, indent=2, ensure_ascii=False) + "\n").encode("utf-8")}


Wav2Vec2CTCTokenizer = Wav2Vec2CTCTokenizerFast


def _words(characters: Iterable[dict[str, Any]], space: str) -> Offsets:
    """The characters between spaces as words, from where the first begins to where the last ends."""
    words = []
    for is_space, run in groupby(characters, key=lambda entry: entry["char"] == space):
        letters = list(run)
        if not is_space:
            word = "".join(entry["char"] for entry in letters)
            span = {"start_offset": letters[0]["start_offset"], "end_offset": letters[-1]["end_offset"]}
            words.append({"word": word, **span})
    return words


def _raised(vocab: dict[str, int]) -> list[normalizers.Normalizer]:
    """Rules that write upper case: the engine has none. Those suffice that can change an id."""
    rules: list[normalizers.Normalizer] = []
    for letter in map(chr, range(0x1F000)):
        upper = letter.upper()
        if upper != letter and (letter in vocab or upper in vocab or len(upper) > 1):
            rules.append(normalizers.Replace(letter, upper))
    return rules
