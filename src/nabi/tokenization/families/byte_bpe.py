"""Byte-level BPE: GPT-2 and those who took over its vocabulary files (vocab.json and merges.txt).

Text is UTF-8 bytes, each byte is written as one visible letter ("Ġ" is the space), and frequent neighbours are merged.
No text is unknown; a Hangul syllable that the training never saw is three tokens, and only together do they decode.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

from ..bpe_steps import byte_of_letter
from ..engine import BYTE_LEVEL
from ..fast import PreTrainedTokenizerFast
from ..layout import Layout
from ..vocabulary_files import read_merges, read_vocabulary
from . import bert

logger = logging.getLogger(__name__)

_END = "<|endoftext|>"


class GPT2TokenizerFast(PreTrainedTokenizerFast):
    """Byte-level BPE, from a `vocab_file` (vocab.json) and a `merges_file` (merges.txt).

    `vocab` and `merges` take the vocabulary itself. `add_prefix_space` (default False) reads the first word as if a
    space stood before it; `trim_offsets` (False) leaves spaces out of offsets; `add_bos_token` and `add_eos_token`
    (False) frame texts. What a tokenizer.json says is changed only by the options that are given.
    """

    vocab_files_names = {"vocab_file": "vocab.json", "merges_file": "merges.txt", "tokenizer_file": "tokenizer.json"}
    defaults = {
        "bos_token": _END,
        "eos_token": _END,
        "unk_token": _END,
        "add_prefix_space": False,
        "trim_offsets": False,
        "errors": "replace",
    }
    composes: ClassVar[bool] = False  # NFC before all else
    pattern: ClassVar[str | None] = None  # how text is split into words; None: as GPT-2 does it

    add_prefix_space: bool
    trim_offsets: bool

    # --- what GPT-2's tokenizer in Python had inside

    @property
    def encoder(self) -> dict[str, int]:
        return self.get_vocab()

    @property
    def byte_encoder(self) -> dict[int, str]:
        """Byte -> the letter that stands for it in pieces."""
        return {byte: letter for letter, byte in byte_of_letter().items()}

    def bpe(self, token: str) -> str:
        """The pieces of a word that is written in those letters, with spaces between."""
        return " ".join(piece.value for piece in self._engine.tokenizer.model.tokenize(token))

    # ---

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        tokenizer = Tokenizer(BPE(*read_bpe(files)))
        if cls.composes:
            tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = byte_level(cls.pattern, bool(options["add_prefix_space"]))
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(
            add_prefix_space=bool(options["add_prefix_space"]), trim_offsets=bool(options["trim_offsets"])
        )
        return tokenizer

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        if options.get("errors") not in (None, "replace"):
            raise ValueError(
                f"errors={options['errors']!r} is not supported: bytes that are no UTF-8 are always decoded to "
                "U+FFFD (errors='replace'). Leave the option out."
            )
        found = self._engine.set_byte_level(given)
        for name in BYTE_LEVEL:
            value = found.get(name, bool(options.get(name)))
            options[name] = value
            setattr(self, name, value)
        mask = options.get("mask_token")
        if isinstance(mask, str) and "mask_token" in self.defaults:
            options["mask_token"] = as_mask(mask)

    def _check_words(self) -> None:
        if not self.add_prefix_space and not self.deprecation_warnings.get("words"):
            self.deprecation_warnings["words"] = True
            logger.warning(
                "The words are read without spaces between them, which %s was hardly trained with: load it with "
                "add_prefix_space=True to use is_split_into_words=True.",
                type(self).__name__,
            )

    def _saved_class(self) -> str:
        """HF's class of this name builds all but vocabulary and frame anew; what it would change gets another name."""
        return super()._saved_class() if self._is_as_built() else "PreTrainedTokenizerFast"

    def _is_as_built(self) -> bool:
        engine = self.backend_tokenizer
        if not isinstance(engine.model, BPE):
            return False
        empty = {"vocab_file": {"a": 0}, "merges_file": []}
        built = self.build(empty, {**self.defaults, **self.init_kwargs, **self.special.named})
        own_frame = self.frames is None or _frames_alike(self)
        return own_frame and _describe(engine) == _describe(built)


class RobertaTokenizerFast(GPT2TokenizerFast):
    """GPT-2's splitting with `<s> text </s></s> pair </s>`; `<mask>` takes the spaces before it. See GPT2Tokenizer."""

    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "add_prefix_space": False,
        "trim_offsets": True,
        "errors": "replace",
    }
    frames = ("{cls} $A {sep}", "{cls} $A {sep} {sep} $B {sep}")


class BlenderbotTokenizerFast(GPT2TokenizerFast):
    """RoBERTa's tokens with `text </s>`; `add_prefix_space` is True. See GPT2Tokenizer."""

    defaults = {**RobertaTokenizerFast.defaults, "add_prefix_space": True, "trim_offsets": False}
    frames = ("$A {eos}", "$A $B:1")  # pairs are no dialogue's form: HF's fast class never framed them


class DebertaTokenizerFast(GPT2TokenizerFast):
    """RoBERTa's vocabulary, BERT's frame and token types; `[MASK]` takes the spaces before it. See GPT2Tokenizer."""

    model_input_names = ["input_ids", "attention_mask", "token_type_ids"]
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        **bert.TOKENS,
        "add_prefix_space": False,
        "trim_offsets": False,
        "errors": "replace",
    }
    frames = bert.FRAMES

    def _saved_class(self) -> str:
        """HF's class, since version 5, puts two separators between a pair and gives it no types of its own."""
        return "PreTrainedTokenizerFast"


class GPTNeoXTokenizerFast(GPT2TokenizerFast):
    """GPT-2's tokenizer with composed text (NFC) and `<|padding|>`. See GPT2Tokenizer."""

    defaults = {**GPT2TokenizerFast.defaults, "pad_token": "<|padding|>", "trim_offsets": True}
    composes = True

    def _is_as_built(self) -> bool:
        """HF's class drops bos and eos when it reads a tokenizer.json, and spaces stay in its offsets."""
        return super()._is_as_built() and self.num_special_tokens_to_add() == 0 and not self.trim_offsets


class Qwen2TokenizerFast(GPT2TokenizerFast):
    """Composed text (NFC), digits one by one, line breaks apart from words. See GPT2Tokenizer."""

    defaults = {**GPT2TokenizerFast.defaults, "bos_token": None, "pad_token": _END}
    composes = True
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"
    )


GPT2Tokenizer = GPT2TokenizerFast
RobertaTokenizer = BartTokenizer = BartTokenizerFast = RobertaTokenizerFast
LongformerTokenizer = LongformerTokenizerFast = RobertaTokenizerFast
BlenderbotTokenizer = BlenderbotTokenizerFast
DebertaTokenizer = DebertaTokenizerFast
GPTNeoXTokenizer = GPTNeoXTokenizerFast
Qwen2Tokenizer = Qwen2TokenizerFast


def read_bpe(files: dict[str, Any]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The vocabulary and its merges. Raises OSError or ValueError if one is missing or they do not fit."""
    for argument, name in (("vocab_file", "vocab.json"), ("merges_file", "merges.txt")):
        if argument not in files:
            there = ", ".join(str(file) for file in files.values() if not isinstance(file, (dict, list)))
            raise ValueError(
                f"{argument} is missing{f' beside {there}' if there else ''}: a BPE vocabulary is vocab.json and "
                f"merges.txt together. Give {argument}='…/{name}' too, or put {name} into the folder."
            )
    vocab = read_vocabulary(files["vocab_file"])
    return vocab, read_merges(files["merges_file"], vocab)


def byte_level(pattern: str | None, add_prefix_space: bool = False) -> pre_tokenizers.PreTokenizer:
    """Split into words, by a pattern or as GPT-2 does it, and write their bytes as letters."""
    if pattern is None:
        return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    words = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    letters = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=False)
    return pre_tokenizers.Sequence([words, letters])


def as_mask(token: str) -> AddedToken:
    """A mask stands for a word with the space before it, so it takes that space."""
    return AddedToken(token, lstrip=True, normalized=False, special=True)


def _describe(tokenizer: Tokenizer) -> list[Any]:
    """What makes ids from text, apart from vocabulary, added tokens and frame."""
    model = tokenizer.model
    flags = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder)
    return [
        *(getattr(model, flag) or None for flag in flags),
        *(getattr(model, flag) for flag in ("fuse_unk", "byte_fallback", "ignore_merges")),
        *(part and part.__getstate__() for part in parts),
    ]


def _frames_alike(tokenizer: GPT2TokenizerFast) -> bool:
    """Whether texts and pairs have the frame that their class gives them."""
    if tokenizer.frames is None:
        return True
    own = tokenizer._engine.with_frame(tokenizer._frame(tokenizer.frames))
    return all(Layout.of(own, pair) == tokenizer.layout(pair) for pair in (False, True))
