"""tiktoken's ranks, as Llama 3, GPT-4 and GPT-4o have them: bytes with a number, the lowest is merged first.

tiktoken merges two neighbours if the bytes of both together are a token. The engine wants to know which two. For each
token that is found by merging its own bytes up to the last step: the pair that is left is the only one that text can
ever bring there, since what stands beside a token has no part in how it came about.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from tokenizers import Tokenizer, decoders, processors
from tokenizers.models import BPE

from ..bpe_steps import byte_of_letter
from ..fast import PreTrainedTokenizerFast
from ..vocabulary_files import read_tiktoken
from .byte_bpe import byte_level

# How the known ranks split text into words, under the names that OpenAI gave them.
PATTERNS = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k_base": (  # GPT-4, Llama 3
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"
    ),
    "o200k_base": (  # GPT-4o, gpt-oss
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}


_NEVER = sys.maxsize  # the rank of two neighbours that are no token together


class TiktokenTokenizerFast(PreTrainedTokenizerFast):
    """Byte-level BPE from a `vocab_file` of ranks (tokenizer.model, *.tiktoken), or `vocab`, a dict bytes -> rank.

    `pattern` says how words are split: a name ("gpt2", "cl100k_base" for GPT-4 and Llama 3, the default, "o200k_base"
    for GPT-4o) or a regular expression. `special_tokens` gives special tokens their ids, as tiktoken has them;
    `extra_special_tokens` are numbered behind the ranks. It is saved as a tokenizer.json.
    """

    vocab_files_names = {"vocab_file": "tokenizer.tiktoken", "tokenizer_file": "tokenizer.json"}
    defaults = {"pattern": "cl100k_base", "special_tokens": None}

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        source = files["vocab_file"]
        ranks = source if isinstance(source, dict) else read_tiktoken(source)
        return build_tiktoken(ranks, options["pattern"], options["special_tokens"] or {})

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        for name in self.defaults:  # they are in the engine now
            options.pop(name)

    def _saved_class(self) -> str:
        return "PreTrainedTokenizerFast"


TiktokenTokenizer = TiktokenTokenizerFast


def build_tiktoken(ranks: dict[bytes, int], pattern: str, special_tokens: dict[str, int]) -> Tokenizer:
    """The engine for these ranks. Raises ValueError for ranks that leave bytes out, and ids that are taken."""
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise ValueError(
            f"The ranks leave out {len(missing)} of the 256 bytes, the first {missing[0]:#04x}, so some text would "
            "have no tokens: these are not a tokenizer's whole ranks."
        )
    letters = {byte: letter for letter, byte in byte_of_letter().items()}
    vocab = {token.decode("latin-1").translate(letters): rank for token, rank in ranks.items()}
    merges = [
        (first.decode("latin-1").translate(letters), second.decode("latin-1").translate(letters))
        for first, second in merges_of(ranks)
    ]
    taken = {rank: token for token, rank in ranks.items()}
    for token, token_id in special_tokens.items():
        if token_id in taken:
            raise ValueError(
                f"special_tokens: {token!r} has the id {token_id}, which the ranks give to {taken[token_id]!r}. Is it "
                "of other ranks?"
            )
    # In the model's vocabulary they keep their ids; added behind it they would be numbered on.
    tokenizer = Tokenizer(BPE({**vocab, **special_tokens}, merges, ignore_merges=True))
    tokenizer.pre_tokenizer = byte_level(_pattern(pattern))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(list(special_tokens))
    return tokenizer


def merges_of(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The pair that makes each token of two bytes and more, the lowest rank first.

    A token that its own bytes do not lead to has none: it stands for a whole word, and is looked up as such.
    """
    merges: list[tuple[bytes, bytes]] = []
    for token in sorted(ranks, key=ranks.__getitem__):
        halves = ((token[:place], token[place:]) for place in range(1, len(token)))
        pairs = [pair for pair in halves if pair[0] in ranks and pair[1] in ranks]
        merges += pairs if len(pairs) < 2 else _last_pair(token, ranks)
    return merges


def _last_pair(token: bytes, ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The two parts that are left when a token's bytes are merged, the lowest rank first; none if more are left."""
    parts = [token[place : place + 1] for place in range(len(token))]
    found = [ranks.get(token[place : place + 2], _NEVER) for place in range(len(token) - 1)]
    while len(parts) > 2:
        lowest = min(found)
        if lowest == _NEVER:
            return []
        place = found.index(lowest)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
        del found[place]
        if place > 0:
            found[place - 1] = ranks.get(parts[place - 1] + parts[place], _NEVER)
        if place < len(found):
            found[place] = ranks.get(parts[place] + parts[place + 1], _NEVER)
    return [(parts[0], parts[1])]


def _pattern(pattern: str) -> str:
    regex = PATTERNS.get(pattern, pattern)
    possessive = re.search(r"\{\d+(,\d*)?\}\+", regex)
    if possessive:
        raise ValueError(
            f"pattern: the engine reads {possessive.group()!r} as a repetition of a repetition, which finds other "
            "words than tiktoken: write it without the last '+', or as an atomic group (?>…)."
        )
    if regex.isidentifier():
        raise ValueError(f"pattern={pattern!r} is unknown: use one of {', '.join(PATTERNS)}, or a regular expression.")
    return regex
