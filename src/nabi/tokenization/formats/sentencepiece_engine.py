r"""A SentencePiece model -> the Rust engine, to the very ids that sentencepiece itself gives.

    text -> charsmap, spaces  -> "▁" before the text, "▁" for spaces, words  -> Unigram or BPE  -> ids
            (normalizer)         (pre-tokenizer)                                (model)

The engine has these parts, but each does something else than sentencepiece does in some corner; the comments below
say what, and what stands against it. What remains unequal:

- Marks out of canonical order ("ü" and an acute accent of its own become "ǘ"), marks behind a letter whose
  compatibility form ends in another ("㎏" and an acute accent become "k" and "ǵ"): sentencepiece composes neither.
  Case folding knows the pair "I" and a dot above. Rules of one's own for several letters are applied to marks only.
- Two segmentations of exactly equal score ("ggg" as "gg" "g" or "g" "gg"): sentencepiece adds in 32 bits, the engine
  in 64, and rounding decides. In BPE, pieces of equal score are merged in the order of their ids, not from the left.
- A text of nothing but characters that the charsmap deletes is empty; a model that keeps extra spaces sees a prefix.
- A piece marked UNUSED is found if it is a single letter; in BPE sentencepiece merges through such pieces.
- A user-defined symbol that the charsmap would change parts the text: what stands behind it begins with a prefix.
- A character composed of several has the offsets of the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from .sentencepiece_model import SPACE, SentencePieceModel, Type

Prefix = Literal["always", "first", "never"]


def engine_of(
    model: SentencePieceModel,
    pieces: Sequence[str] | None = None,
    *,
    unk_token: str | None = None,
    before: Sequence[Normalizer] = (),
    split: Sequence[PreTokenizer] = (),
    prefix: Prefix = "always",
    spaces_in_offsets: bool = False,
) -> Tokenizer:
    """The engine for a model, without frame.

    `pieces` is the vocabulary in the order of its ids, where that is not the model's own: names that the model does
    not have are never found in a text; pieces of the model that it leaves out do not exist. `unk_token` is the
    unknown piece's name among them. `before`: what happens to a text before sentencepiece would see it. `split`: what
    cuts a text into parts that sentencepiece would see one by one. `prefix`: which parts between special tokens get
    the model's dummy prefix ("first": only the beginning of a text). `spaces_in_offsets`: a word's offsets begin with
    the space before it, as they do wherever spaces cannot simply be left out. Raises ValueError for a vocabulary with
    a piece given twice or no unknown piece.
    """
    vocabulary = list(model.pieces if pieces is None else pieces)
    unk = model.unk_piece if unk_token is None else unk_token
    _check(model, vocabulary, unk)
    tokenizer = Tokenizer(
        _unigram(model, vocabulary, unk) if model.algorithm == "unigram" else _bpe(model, vocabulary, unk)
    )
    normalization = _normalization(model, prefix)
    if before or normalization:
        tokenizer.normalizer = normalizers.Sequence([*before, *normalization])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*split, *_pre_tokenization(model, prefix, spaces_in_offsets)])
    tokenizer.decoder = _decoder(model, prefix)
    known = set(vocabulary)
    tokenizer.add_special_tokens([_as_it_is(piece, True) for piece in model.of_type(Type.CONTROL) if piece in known])
    tokenizer.add_tokens([_as_it_is(piece, False) for piece in _rewritten(model, normalization) if piece in known])
    return tokenizer


def _check(model: SentencePieceModel, vocabulary: list[str], unk: str) -> None:
    if unk not in vocabulary:
        raise ValueError(
            f"{model.path}: there is no unknown token {unk!r} among the {len(vocabulary)} pieces, so no new text could "
            f"be encoded. The model calls it {model.unk_piece!r}: pass unk_token={model.unk_piece!r}."
        )
    if len(set(vocabulary)) < len(vocabulary):
        twice = next(piece for number, piece in enumerate(vocabulary) if piece in vocabulary[:number])
        raise ValueError(
            f"{model.path}: the piece {twice!r} would have two ids in this class's layout. The model seems to be "
            "another family's: load it with that family's class."
        )


def _as_it_is(piece: str, special: bool) -> AddedToken:
    """Matched in the raw text."""
    return AddedToken(piece, normalized=False, special=special)


# --- the models


def _unigram(model: SentencePieceModel, vocabulary: list[str], unk: str) -> Unigram:
    """sentencepiece finds NORMAL and USER_DEFINED pieces only; the engine finds all that have a name.

    So what is not to be found gets a score that any way of spelling it beats. That lowers the score of an unknown
    character too, which the engine derives from the lowest, but this decides nothing: no piece holds a character that
    is not a piece itself.
    """
    highest, lowest = max(model.normal.values(), default=0.0), min([*model.normal.values(), -1.0])
    symbols = {piece: len(piece.encode()) * highest - 0.1 for piece in model.of_type(Type.USER_DEFINED)}
    found = {**model.normal, **symbols}
    scored = [(piece, found.get(piece, (len(piece) + 1) * lowest)) for piece in vocabulary]
    return Unigram(scored, vocabulary.index(unk), model.byte_fallback)


def _bpe(model: SentencePieceModel, vocabulary: list[str], unk: str) -> BPE:
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    return BPE(
        numbers,
        _merges(model, numbers),
        unk_token=unk,
        fuse_unk=True,
        byte_fallback=model.byte_fallback,
        # A user-defined symbol is cut out as a word of its own, and no merge leads to it: it is taken whole.
        ignore_merges=bool(model.of_type(Type.USER_DEFINED)),
    )


def _merges(model: SentencePieceModel, numbers: dict[str, int]) -> list[tuple[str, str]]:
    """sentencepiece merges the neighbours whose joined piece has the highest score: every pair that makes a piece is a
    merge, ranked by the piece's score, and the pair with the longer left side first."""
    normal = {piece: score for piece, score in model.normal.items() if piece in numbers}
    return [
        (piece[:cut], piece[cut:])
        for piece in sorted(normal, key=normal.__getitem__, reverse=True)
        for cut in range(len(piece) - 1, 0, -1)
        if piece[:cut] in normal and piece[cut:] in normal
    ]


# --- the text before the model sees it

_BREAK = "\ufdd0"  # a code point that is for internal use only, and in no text
# The engine maps whole graphemes: of "①" and an accent it keeps only "1", of "\r\n" one space. A break parts them.
_MARKS = Regex(r"(?=[\p{M}\u200c\u200d\n])(?<!\A)")
# Spaces (and what looks like one) at the end, spaces after a space, breaks. Each begins with its first sign, and only
# then looks behind: so a text without such signs is passed over quickly, and a long run is tried once.
_SPACING = f"[ {SPACE}{_BREAK}]"
_EXTRA_SPACES = rf"{_SPACING}(?<!{_SPACING}{_SPACING}){_SPACING}*\z| (?<=  | {_BREAK} ) *|{_BREAK}"
_LEADING_SPACES = r"|\A +"


def _normalization(model: SentencePieceModel, prefix: Prefix) -> list[Normalizer]:
    charsmap = _charsmap(model)
    composes = charsmap is not None and charsmap.normalize_str("e\u0301") == "é"
    parts: list[Normalizer] = []
    if composes:
        parts.append(normalizers.Replace(_MARKS, _BREAK))
    if charsmap is not None:
        parts.append(charsmap)
    if model.remove_extra_whitespaces:
        # With the prefix "first", one leading space is left: at a text's beginning it is the prefix, behind a special
        # token it is the text's.
        spaces = _EXTRA_SPACES + ("" if prefix == "first" and model.add_dummy_prefix else _LEADING_SPACES)
        parts.append(normalizers.Replace(Regex(spaces), ""))
    elif composes:
        parts.append(normalizers.Replace(_BREAK, ""))
    if composes:
        # The charsmap's rules that join several letters (jamo to syllables, "ㅋㅠ" among them, or letter and accent)
        # cannot be followed by the engine, which sees no letter's neighbours. Composing afterwards does the same.
        parts.append(normalizers.NFC())
    if not model.remove_extra_whitespaces:
        parts.append(normalizers.Replace(" ", SPACE))
    if model.treat_whitespace_as_suffix and model.add_dummy_prefix:
        parts.append(normalizers.Replace(Regex(r"(?<!\A)\z"), SPACE))
    return parts


def _charsmap(model: SentencePieceModel) -> Normalizer | None:
    if not model.precompiled_charsmap:
        return None
    try:
        return normalizers.Precompiled(model.precompiled_charsmap)
    except Exception as error:  # the engine raises bare Exception
        raise ValueError(
            f"{model.path}: its table of characters (precompiled_charsmap) is damaged ({error}): download it again."
        ) from error


def _rewritten(model: SentencePieceModel, normalization: list[Normalizer]) -> list[str]:
    """User-defined symbols that the charsmap would change; sentencepiece keeps them as they are written."""
    symbols = [piece for piece in model.of_type(Type.USER_DEFINED) if SPACE not in piece]
    normalizer = normalizers.Sequence(normalization)
    return [piece for piece in symbols if normalizer.normalize_str(piece) != piece]


def _pre_tokenization(model: SentencePieceModel, prefix: Prefix, spaces_in_offsets: bool) -> list[PreTokenizer]:
    """Spaces to "▁", one at the beginning, and cuts where no piece reaches across.

    Metaspace puts no prefix before what begins with its own sign. That must be a space, not "▁": a "▁" in the text
    itself gets a prefix, and where spaces are kept (they are "▁" already) a space does as well.
    """
    has_prefix = model.add_dummy_prefix and not model.treat_whitespace_as_suffix and prefix != "never"
    words = _words(model)
    parts: list[PreTokenizer] = []
    if has_prefix and prefix == "always" and model.remove_extra_whitespaces and words and not spaces_in_offsets:
        parts.append(pre_tokenizers.Split(" ", "removed"))  # each word then gets a prefix, which is its space
    if has_prefix:
        parts.append(pre_tokenizers.Metaspace(" ", prefix, split=False))
    symbols = model.of_type(Type.USER_DEFINED) if model.algorithm == "bpe" else []
    if symbols or not any(isinstance(part, pre_tokenizers.Metaspace) for part in words):
        parts.append(pre_tokenizers.Metaspace(SPACE, "never", split=False))
    if not symbols:
        return [*parts, *words]
    longest_first = "|".join(map(re.escape, sorted(symbols, key=len, reverse=True)))
    symbol = pre_tokenizers.Split(Regex(longest_first), "isolated")
    return [*parts, symbol, *words, pre_tokenizers.Split(Regex(_spelled_out(model)), "isolated")]


def _spelled_out(model: SentencePieceModel) -> str:
    """The first letter of a word that is, letter by letter, the name of what is no text. Cut off, it is not taken
    whole as a user-defined symbol is (see ignore_merges)."""
    names = [*model.of_type(Type.CONTROL), model.unk_piece]
    named = [f"{re.escape(name[0])}(?={re.escape(name[1:])}\\z)" for name in names if len(name) > 1]
    return r"\A(?:" + "|".join([r"<(?=0x[0-9A-F]{2}>\z)", *named]) + ")"


def _words(model: SentencePieceModel) -> list[PreTokenizer]:
    """Cut before each "▁", where no piece reaches across: the engine remembers words, and long texts stay cheap."""
    pieces = [*model.normal, *model.of_type(Type.USER_DEFINED)]
    joined = "\0".join(pieces)
    if SPACE not in model.normal or model.treat_whitespace_as_suffix or re.search(f"[^\0{SPACE}]{SPACE}", joined):
        return []
    if SPACE * 2 in joined:
        return [pre_tokenizers.Split(Regex(f"{SPACE}+[^{SPACE}]*"), "isolated")]
    return [pre_tokenizers.Metaspace(SPACE, "never", split=True)]


_ALL = 1 << 16  # more spaces than a text begins with


def _decoder(model: SentencePieceModel, prefix: Prefix) -> decoders.Decoder:
    parts: list[decoders.Decoder] = [decoders.Replace(SPACE, " ")]
    if model.byte_fallback:
        parts.append(decoders.ByteFallback())
    parts.append(decoders.Fuse())
    has_prefix = (model.add_dummy_prefix and prefix != "never") or model.remove_extra_whitespaces
    if has_prefix and not model.treat_whitespace_as_suffix:
        parts.append(decoders.Strip(" ", _ALL if model.remove_extra_whitespaces else 1, 0))
    return decoders.Sequence(parts)
