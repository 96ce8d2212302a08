"""The families with a SentencePiece model: what each does to a text first, and which ids its pieces have.

Where fairseq trained a model (XLM-RoBERTa, CamemBERT) the ids are moved against the file's; PEGASUS keeps room for the
tokens of its pre-training. The frames and defaults are HF's; the pieces are sentencepiece's (../formats/).
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from ..fast import PreTrainedTokenizerFast
from ..formats.sentencepiece_engine import Prefix, engine_of
from ..formats.sentencepiece_model import SentencePieceModel, Type, read_sentencepiece
from . import bert

logger = logging.getLogger(__name__)

WITH_TYPES = ["input_ids", "token_type_ids", "attention_mask"]
_BOS_EOS_EOS = ("{bos} $A {eos}", "{bos} $A {eos} {eos} $B {eos}")


class SentencePieceTokenizerFast(PreTrainedTokenizerFast):
    """What they share: a `vocab_file` (a `.model`), `add_prefix_space` (default True: the model's own dummy prefix)
    and `legacy` (default True: the prefix stands behind special tokens too, not only at a text's beginning).

    A `tokenizer_file` holds all this already, and those options do not change it.
    """

    vocab_files_names = {"vocab_file": "spiece.model", "tokenizer_file": "tokenizer.json"}
    mask_takes_space: ClassVar[bool] = False  # the space before a mask belongs to it
    word_takes_space: ClassVar[bool] = False  # in offsets

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        if "vocab_file" not in files:
            raise ValueError(
                f"{cls.__name__} needs its SentencePiece model (vocab_file='….model'), but was given only "
                f"{', '.join(map(str, files.values()))}. Put the model into the same folder, or pass its path."
            )
        model = read_sentencepiece(files["vocab_file"])
        pieces = cls.pieces_of(model, files, options)
        return engine_of(
            cls.adapted(model),
            pieces,
            unk_token=None if pieces is None else str(options["unk_token"]),
            before=cls.before(model, options),
            split=cls.split(options),
            prefix=_prefix(options),
            spaces_in_offsets=cls.word_takes_space,
        )

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        if (options.get("sp_model_kwargs") or {}).get("enable_sampling"):
            logger.warning(
                "sp_model_kwargs asks for sampled segmentations (enable_sampling), which nabi has not: every text "
                "gets its best one. For subword regularisation in training, use the sentencepiece package."
            )
        if self.mask_takes_space and isinstance(options.get("mask_token"), str):
            options["mask_token"] = AddedToken(options["mask_token"], lstrip=True, normalized=False, special=True)
        if given.get("additional_special_tokens") is None and given.get("extra_special_tokens") is None:
            known = self._engine.tokenizer.token_to_id  # the class's own extra tokens, as far as there are such
            extra = [token for token in self.extra_tokens(options) if known(token) is not None]
            options["additional_special_tokens"] = extra or None

    # What a family overrides.

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        """The vocabulary in the order of its ids; None: the model's own."""
        return None

    @classmethod
    def adapted(cls, model: SentencePieceModel) -> SentencePieceModel:
        """The model, without what the family does not use of it."""
        return model

    @classmethod
    def before(cls, model: SentencePieceModel, options: dict[str, Any]) -> list[Normalizer]:
        """What happens to a text before the model's own normalization."""
        return []

    @classmethod
    def split(cls, options: dict[str, Any]) -> list[PreTokenizer]:
        """What cuts a text into parts that the model sees one by one."""
        return []

    @classmethod
    def extra_tokens(cls, options: dict[str, Any]) -> list[str]:
        """The additional special tokens where nobody names any."""
        return []

    def _saved_class(self) -> str:
        """Under its own name, version 5 of HF's library would rebuild the tokenizer, and otherwise than here."""
        return "PreTrainedTokenizerFast"


def _prefix(options: dict[str, Any]) -> Prefix:
    if options.get("add_prefix_space") is False:
        return "never"
    return "first" if options.get("legacy") is False else "always"


# --- cleaned text


class CleaningTokenizerFast(SentencePieceTokenizerFast):
    """Cleans a text first: `remove_space` (default True) makes one space of any white space, ``these'' quotes become
    ", `keep_accents` (False) strips accents, `do_lower_case` lowers. Hangul, which stripping accents takes apart, is
    composed again for a vocabulary of syllables. Pieces such as "9," are not used: the comma stands alone.
    """

    mask_takes_space = True

    @classmethod
    def adapted(cls, model: SentencePieceModel) -> SentencePieceModel:
        kinds = zip(model.pieces, model.types, strict=True)
        return replace(model, types=[Type.UNUSED if _ends_in_number_comma(piece) else kind for piece, kind in kinds])

    @classmethod
    def before(cls, model: SentencePieceModel, options: dict[str, Any]) -> list[Normalizer]:
        steps: list[Normalizer] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        if options["remove_space"]:
            steps.insert(0, normalizers.Replace(Regex(r"[\s\x1c-\x1f]+"), " "))
        if not options["keep_accents"]:
            steps += [normalizers.NFKD(), normalizers.Replace(Regex(_combining()), "")]
            if bert.has_syllables(model.normal):
                steps.append(normalizers.NFC())
        if options["do_lower_case"]:
            steps.append(normalizers.Lowercase())
        return steps


def _ends_in_number_comma(piece: str) -> bool:
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()


@cache
def _combining() -> str:
    """The pattern of what Unicode calls combining: fewer than the engine's StripAccents takes, which strips the vowels
    of Thai and Devanagari."""
    found = [code for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code))]
    starts = [code for code in found if not unicodedata.combining(chr(code - 1))]
    ends = [code for code in found if not unicodedata.combining(chr(code + 1))]
    return "[" + "".join(f"\\x{{{a:x}}}-\\x{{{b:x}}}" for a, b in zip(starts, ends, strict=True)) + "]"


class AlbertTokenizerFast(CleaningTokenizerFast):
    """`[CLS] text [SEP] pair [SEP]`, cleaned and lowered (`do_lower_case`, default True)."""

    model_input_names = WITH_TYPES
    frames = bert.FRAMES
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": "<unk>",
        "sep_token": "[SEP]",
        "pad_token": "<pad>",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "do_lower_case": True,
        "remove_space": True,
        "keep_accents": False,
    }


class XLNetTokenizerFast(CleaningTokenizerFast):
    """`text <sep> pair <sep> <cls>`, cleaned; padded on the left, with token type 3; the `<cls>` has type 2."""

    model_input_names = WITH_TYPES
    padding_side = "left"
    frames = ("$A {sep} {cls}:2", "$A {sep} $B:1 {sep}:1 {cls}:2")
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "<sep>",
        "pad_token": "<pad>",
        "cls_token": "<cls>",
        "mask_token": "<mask>",
        "pad_token_type_id": 3,
        "do_lower_case": False,
        "remove_space": True,
        "keep_accents": False,
    }

    @classmethod
    def extra_tokens(cls, options: dict[str, Any]) -> list[str]:
        return ["<eop>", "<eod>"]


# --- encoders and translators


class T5TokenizerFast(SentencePieceTokenizerFast):
    """`text </s> pair </s>`, and `extra_ids` (default 100) sentinels behind the vocabulary, the last one first."""

    frames = ("$A {eos}", "$A {eos} $B {eos}")
    defaults = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "extra_ids": 100}

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        super().configure(given, options)
        named = options.get("additional_special_tokens") or options.get("extra_special_tokens") or []
        if isinstance(named, (list, tuple)) and not any(map(_is_sentinel, named)):
            known = self._engine.tokenizer.token_to_id
            sentinels = [token for token in self.extra_tokens(options) if known(token) is not None]
            options["additional_special_tokens"] = [*named, *sentinels] or None
            options.pop("extra_special_tokens", None)

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        known = set(model.pieces)
        return model.pieces + [token for token in reversed(cls.extra_tokens(options)) if token not in known]

    @classmethod
    def extra_tokens(cls, options: dict[str, Any]) -> list[str]:
        return [f"<extra_id_{number}>" for number in range(options["extra_ids"])]

    def get_sentinel_tokens(self) -> list[str]:
        """The sentinels `<extra_id_0>`, …, that stand for what was left out of a text."""
        return [token for token in self.additional_special_tokens if _is_sentinel(token)]

    def get_sentinel_token_ids(self) -> list[int]:
        return self.convert_tokens_to_ids(self.get_sentinel_tokens())


def _is_sentinel(token: Any) -> bool:
    return str(token).startswith("<extra_id_")


class XLMRobertaTokenizerFast(SentencePieceTokenizerFast):
    """`<s> text </s></s> pair </s>` with fairseq's ids: its four tokens first, then the pieces, `<mask>` last."""

    vocab_files_names = {"vocab_file": "sentencepiece.bpe.model", "tokenizer_file": "tokenizer.json"}
    frames = _BOS_EOS_EOS
    mask_takes_space = True
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": "<mask>",
    }

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        head = [str(options[name]) for name in ("bos_token", "pad_token", "eos_token", "unk_token")]
        return [*head, *model.pieces[3:], str(options["mask_token"])]


class CamembertTokenizerFast(XLMRobertaTokenizerFast):
    """XLM-RoBERTa's frame and an older layout of fairseq's, in which the model's own `<s>` and `</s>` are in use."""

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        pad, unk, mask = (str(options[name]) for name in ("pad_token", "unk_token", "mask_token"))
        return ["<s>NOTUSED", pad, "</s>NOTUSED", unk, "<unk>NOTUSED", *model.pieces[1:], mask]

    @classmethod
    def extra_tokens(cls, options: dict[str, Any]) -> list[str]:
        return ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]


class PegasusTokenizerFast(SentencePieceTokenizerFast):
    """`text pair </s>`; the model's pieces begin `offset` (default 103) ids later, behind the pre-training's tokens:
    `<mask_1>` (`mask_token_sent`, a sentence), `<mask_2>` (`mask_token`, words) and `<unk_2>` … `<unk_102>`."""

    frames = ("$A {eos}", "$A $B {eos}")
    word_takes_space = True
    defaults = {
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask_2>",
        "mask_token_sent": "<mask_1>",
        "offset": 103,
    }

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str] | None:
        head = [str(options[name]) for name in ("pad_token", "eos_token")]
        if options["offset"] > 0:
            masks = [options["mask_token_sent"], options["mask_token"]]
            head += [str(mask) for mask in masks if mask is not None] + _pegasus_unused(options)
        return head + model.pieces[2:]

    @classmethod
    def extra_tokens(cls, options: dict[str, Any]) -> list[str]:
        sentence = options["mask_token_sent"]
        return ([] if sentence is None else [str(sentence)]) + _pegasus_unused(options)


def _pegasus_unused(options: dict[str, Any]) -> list[str]:
    return [f"<unk_{number}>" for number in range(2, options["offset"])]


class DebertaV2TokenizerFast(SentencePieceTokenizerFast):
    """`[CLS] text [SEP] pair [SEP]`; `do_lower_case` and `split_by_punct` (both False) before the model's own work."""

    vocab_files_names = {"vocab_file": "spm.model", "tokenizer_file": "tokenizer.json"}
    model_input_names = WITH_TYPES
    frames = bert.FRAMES
    word_takes_space = True
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        **bert.TOKENS,
        "do_lower_case": False,
        "split_by_punct": False,
    }

    @classmethod
    def before(cls, model: SentencePieceModel, options: dict[str, Any]) -> list[Normalizer]:
        return [normalizers.Lowercase()] if options["do_lower_case"] else []

    @classmethod
    def split(cls, options: dict[str, Any]) -> list[PreTokenizer]:
        if not options["split_by_punct"]:
            return []
        return [pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Split(Regex(r" +\z"), "removed")]


class BigBirdTokenizerFast(SentencePieceTokenizerFast):
    """`[CLS] text [SEP] pair [SEP]` on GPT-2's vocabulary, rebuilt as a SentencePiece model."""

    frames = bert.FRAMES
    mask_takes_space = word_takes_space = True
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "[SEP]",
        "pad_token": "<pad>",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }


# --- decoders


class LlamaTokenizerFast(SentencePieceTokenizerFast):
    """`<s> text`; padded on the left. `legacy` is False as HF has it since version 5: only a text's beginning gets the
    prefix. `add_bos_token` (True) and `add_eos_token` (False) frame texts."""

    vocab_files_names = {"vocab_file": "tokenizer.model", "tokenizer_file": "tokenizer.json"}
    padding_side = "left"
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "add_bos_token": True,
        "add_eos_token": False,
        "legacy": False,
    }


class GemmaTokenizerFast(SentencePieceTokenizerFast):
    """`<bos> text`; padded on the left. Its model has no prefix."""

    vocab_files_names = {"vocab_file": "tokenizer.model", "tokenizer_file": "tokenizer.json"}
    padding_side = "left"
    defaults = {
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "add_bos_token": True,
        "add_eos_token": False,
    }


AlbertTokenizer = AlbertTokenizerFast
BigBirdTokenizer = BigBirdTokenizerFast
CamembertTokenizer = CamembertTokenizerFast
DebertaV2Tokenizer = DebertaV2TokenizerFast
GemmaTokenizer = GemmaTokenizerFast
LlamaTokenizer = LlamaTokenizerFast
PegasusTokenizer = PegasusTokenizerFast
T5Tokenizer = MT5Tokenizer = MT5TokenizerFast = T5TokenizerFast
XLMRobertaTokenizer = XLMRobertaTokenizerFast
XLNetTokenizer = XLNetTokenizerFast
