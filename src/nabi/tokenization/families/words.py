"""Plain vocabularies: one token for each word, or one for each character, as small models of one's own use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel

from ..fast import PreTrainedTokenizerFast
from ..special_tokens import NAMES
from ..vocabulary_files import read_vocabulary

_ANY_CHARACTER = r"[\s\S]"


class WordLevelTokenizerFast(PreTrainedTokenizerFast):
    """Words between white space are tokens, others `<unk>`: "나는 학생 이다" -> 3 tokens.

    From a `vocab_file` (vocab.txt with one word a line, or vocab.json), or `vocab`, a dict or list. Of `<pad>`, `<s>`,
    `</s>` the vocabulary has those that it holds; any other is named (`pad_token="[PAD]"`) and, if new, added behind.
    `add_bos_token` and `add_eos_token` (False) frame texts. Raises ValueError if there is no `unk_token`.
    """

    vocab_files_names = {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}
    defaults = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        tokenizer = Tokenizer(_model(files["vocab_file"], str(options["unk_token"])))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return tokenizer

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        for name in NAMES:
            token = options.get(name)
            if name not in given and token is not None and self.backend_tokenizer.token_to_id(str(token)) is None:
                options[name] = None

    def _saved_class(self) -> str:
        """HF's library has no such class; its tokenizer.json says all."""
        return "PreTrainedTokenizerFast"


class CharacterTokenizerFast(WordLevelTokenizerFast):
    """Each character is a token, the space too: "학생 이다" -> 5 tokens. Files and options as for words."""

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        tokenizer = Tokenizer(_model(files["vocab_file"], str(options["unk_token"])))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_ANY_CHARACTER), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
        return tokenizer


WordLevelTokenizer = WordLevelTokenizerFast
CharacterTokenizer = CharacterTokenizerFast


def _model(source: Any, unk: str) -> WordLevel:
    vocab = read_vocabulary(source)
    if unk not in vocab:
        place = str(source) if isinstance(source, (str, Path)) else "vocab"
        raise ValueError(
            f"{place}: no unknown token {unk!r} among its {len(vocab)} pieces, so nothing new could be encoded. Add "
            "it, or pass the name it has as unk_token=…."
        )
    return WordLevel(vocab, unk_token=unk)
