"""XLM: words as Moses and the segmenters of some languages cut them, then BPE where "</w>" marks a word's end.

    text -> punctuation, control signs -> words (sacremoses; rjieba, kytea, pythainlp) -> lower case, no accents -> BPE

The rules depend on the language, which the ids do not show. A call reads its texts as English, as HF's class does:
`tokenize(text, lang="fr")` says another, and `convert_tokens_to_ids` and `prepare_for_model` make the rest of it.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers.models import BPE

from ..in_python import PreTrainedTokenizer
from ..vocabulary_files import Merges, read_ranked_pairs, read_vocabulary

_END = "</w>"
_UNKNOWN = "\ufdd3"  # for internal use only, and in no text
# Romanian letters in their old and new forms -> those without a sign.
_ROMANIAN = str.maketrans("ŞşȘșŢţȚțĂăÂâÎî", "SsSsTtTtAaAaIi")


class XLMTokenizer(PreTrainedTokenizer):
    """`<s> text </s> pair </s>` from a `vocab_file` (vocab.json) and a `merges_file` (merges.txt).

    `do_lowercase_and_remove_accent` (True) is for the models of up to 15 languages and False for those of 17 and 100.
    `lang2id` and `id2lang` are kept as they are given: the model takes the ids as `langs`. Encoding needs sacremoses.
    Raises OSError for missing files, ValueError for damaged ones or tables of languages that do not fit.
    """

    vocab_files_names = {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
    model_input_names = ["input_ids", "attention_mask"]
    defaults = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "</s>",
        "mask_token": "<special1>",
        "additional_special_tokens": [f"<special{number}>" for number in range(10)],
        "lang2id": None,
        "id2lang": None,
        "do_lowercase_and_remove_accent": True,
    }

    def __init__(self, vocab_file: Any = None, merges_file: Any = None, **options: Any) -> None:
        if vocab_file is None or merges_file is None:
            raise FileNotFoundError(
                "XLMTokenizer is made from vocab.json (vocab_file=…) and merges.txt (merges_file=…): put both, from "
                "one checkpoint, into the folder, or pass their paths."
            )
        if options.get("extra_special_tokens") is not None:
            options.setdefault("additional_special_tokens", None)
        options = {**self.defaults, **options}
        self.lang2id: dict[str, int] | None = options["lang2id"]
        self.id2lang: dict[Any, str] | None = options["id2lang"]
        if self.lang2id is not None and self.id2lang is not None and len(self.lang2id) != len(self.id2lang):
            raise ValueError(
                f"lang2id has {len(self.lang2id)} languages and id2lang {len(self.id2lang)}: they must be the same."
            )
        self.do_lowercase_and_remove_accent = bool(options["do_lowercase_and_remove_accent"])
        self.encoder: dict[str, int] = dict(read_vocabulary(vocab_file))
        self.decoder_of_ids = {number: piece for piece, number in self.encoder.items()}
        self.merges: Merges = read_ranked_pairs(merges_file)
        self._bpe = _bpe(self.encoder, self.merges)
        super().__init__(**options)

    @property
    def do_lower_case(self) -> bool:
        return self.do_lowercase_and_remove_accent

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self.added_tokens_encoder}

    # --- text -> tokens

    def tokenize(
        self,
        text: Any,
        pair: Any = None,
        add_special_tokens: bool = False,
        *,
        lang: str = "en",
        bypass_tokenizer: bool = False,
        **options: Any,
    ) -> list[str]:
        """Tokens of a text in the language `lang`, the added ones whole. `bypass_tokenizer=True`: it is split into
        words by spaces already, as the model was trained with them."""
        if self.lang2id and lang not in self.lang2id:
            raise ValueError(
                f"lang={lang!r} is no language of this tokenizer, which has {', '.join(self.lang2id)}: pass one of "
                "them."
            )
        parts = [part for part in (text, pair) if part is not None]
        return [token for part in parts for token in self._cut(part, lang=lang, bypass_tokenizer=bypass_tokenizer)]

    def _tokenize(self, text: str, lang: str = "en", bypass_tokenizer: bool = False, **options: Any) -> list[str]:
        words = text.split() if bypass_tokenizer else _words(text, lang)
        if self.do_lowercase_and_remove_accent and not bypass_tokenizer:
            words = _lowered(words)
        return [piece for word in words if word for piece in self._pieces(word)]

    def _pieces(self, word: str) -> list[str]:
        """BPE; letters that no merge knows stand alone, as they are."""
        spelled = word.encode()
        pieces = []
        for token in self._bpe.tokenize(word):
            start, end = token.offsets  # in bytes
            letters = spelled[start:end].decode() + (_END if end == len(spelled) else "")
            pieces.append(letters if token.value == _UNKNOWN else token.value)
        return " ".join(pieces).split(" ")  # the space that Thai's words may be is, as in HF's class, two empty pieces

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder_of_ids.get(index, self.unk_token)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace(_END, " ").strip()

    # --- the frame

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`<s> text </s>`: the bos token, and not the cls token, begins a text."""
        first = [self.bos_token_id, *token_ids_0, self.sep_token_id]
        return first if token_ids_1 is None else [*first, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        second = [] if token_ids_1 is None else [1] * (len(token_ids_1) + 1)
        return [0] * (len(token_ids_0) + 2) + second

    # --- files

    def save_vocabulary(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Write vocab.json and merges.txt, and return their paths."""
        from ..saving import write_vocabulary

        vocab = json.dumps(self.encoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        merges = "".join(f"{left} {right}\n" for left, right in self.merges)
        files = {"vocab.json": vocab.encode(), "merges.txt": merges.encode()}
        return write_vocabulary(Path(save_directory), filename_prefix, files)


XLMTokenizerFast = XLMTokenizer


def _bpe(vocab: dict[str, int], merges: Merges) -> BPE:
    """The engine of the merges. It numbers pieces for itself: merges lead to pieces that the vocabulary lacks."""
    pieces = [_UNKNOWN, *vocab, *(piece for left, right in merges for piece in (left, right, left + right))]
    numbers = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return BPE(numbers, merges, unk_token=_UNKNOWN, end_of_word_suffix=_END)


# --- words


def _words(text: str, lang: str) -> list[str]:
    """The words of a text, as the training texts of this language were cut."""
    if lang == "zh":
        return _moses_text(" ".join(_segmenter(lang)(text)), lang).split()
    text = _moses_text(text, lang)
    if lang in ("ja", "th"):
        return list(_segmenter(lang)(text))
    _, tokenizer = _moses(lang)
    words: list[str] = tokenizer.tokenize(text.translate(_ROMANIAN) if lang == "ro" else text, escape=False)
    return words


def _moses_text(text: str, lang: str) -> str:
    """Punctuation in its plain forms, and no sign of Unicode's categories C."""
    normalizer, _ = _moses(lang)
    text = normalizer.normalize(normalizer.replace_unicode_punct(text))
    return "".join(sign for sign in text if not unicodedata.category(sign).startswith("C"))


def _lowered(words: list[str]) -> list[str]:
    """In lower case, and without accents; Hangul comes apart into its letters, as it did in training."""
    text = unicodedata.normalize("NFD", " ".join(words).lower())
    return "".join(sign for sign in text if unicodedata.category(sign) != "Mn").lower().split(" ")


@cache
def _moses(lang: str) -> tuple[Any, Any]:
    """Moses' normalizer of punctuation and its tokenizer, for a language."""
    try:
        from sacremoses import MosesPunctNormalizer, MosesTokenizer
    except ImportError as error:
        raise ImportError(
            "XLMTokenizer finds words by the rules of Moses, which the package sacremoses has: pip install sacremoses. "
            "Without it, tokenize(text, bypass_tokenizer=True) takes words that spaces part."
        ) from error
    return MosesPunctNormalizer(lang=lang), MosesTokenizer(lang=lang)


@cache
def _segmenter(lang: str) -> Callable[[str], Any]:
    """What finds words where no spaces part them: text -> words."""
    try:
        if lang == "zh":
            from rjieba import cut

            return cut  # type: ignore[no-any-return]
        if lang == "th":
            from pythainlp.tokenize import word_tokenize

            return word_tokenize  # type: ignore[no-any-return]
        from Mykytea import Mykytea
    except ImportError as error:
        package = {"zh": "rjieba", "th": "pythainlp", "ja": "kytea"}[lang]
        raise ImportError(
            f"XLMTokenizer finds the words of lang={lang!r} with the package {package}: pip install {package}. "
            "Without it, tokenize(text, bypass_tokenizer=True) takes words that spaces part."
        ) from error
    model = Path.home() / "local/share/kytea/model.bin"
    if not model.is_file():
        raise FileNotFoundError(f"KyTea's model, {model}, is not there: build KyTea with --prefix=$HOME/local.")
    return Mykytea(f"-model {model}").getWS  # type: ignore[no-any-return]
