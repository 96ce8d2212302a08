"""Vocabularies as files: vocab.txt, vocab.json, merges.txt, tiktoken ranks. What does not fit is refused by line.

A vocabulary with a hole, or with two pieces for one id, would give a model ids that it was not trained with, and
nobody would notice. So every reader checks, and says where the fault is and what mends it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Merges = list[tuple[str, str]]


def read_vocabulary(source: str | Path | dict[str, int] | Sequence[str]) -> dict[str, int]:
    """Piece -> id, from a vocab.json, from a text file with one piece a line, or from the dict or list itself.

    Raises OSError, or ValueError for what is no vocabulary: ids that leave a gap, come twice or are no numbers.
    """
    if isinstance(source, dict):
        return checked_ids(source, "vocab")
    if not isinstance(source, (str, Path)):
        return _numbered(source, "vocab", "entries")
    if Path(source).suffix == ".json":
        return checked_ids(read_vocab_json(source), str(source))
    lines = _lines(source)
    return _numbered(lines[:-1] if lines[-1] == "" else lines, str(source), "lines")


def read_vocab_json(path: str | Path) -> dict[str, Any]:
    """The object in a vocab.json as it is (some hold one vocabulary per language). A piece given twice is an error."""

    def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(piece for piece, _ in pairs if piece in seen or seen.add(piece))  # type: ignore[func-returns-value]
            raise ValueError(f"{path}: the piece {twice!r} stands in it twice, so its id is unclear. {_REMOVE}")
        return found

    text = "\n".join(_lines(path))
    try:
        vocab = json.loads(text, object_pairs_hook=without_repeats)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error}). It may be cut off: {_FETCH}") from None
    if not isinstance(vocab, dict):
        raise ValueError(
            f"{path}: it holds a {type(vocab).__name__}, but a vocab.json is an object of pieces and ids. {_WRITE_JSON}"
        )
    return vocab


def checked_ids(vocab: dict[str, Any], place: str) -> dict[str, int]:
    """The vocabulary itself. Raises ValueError unless its ids are whole numbers from 0, each once, without a gap."""
    if not vocab:
        raise ValueError(f"{place}: the vocabulary is empty. {_FETCH}")
    owners: dict[int, str] = {}
    for piece, token_id in vocab.items():
        if not isinstance(token_id, int) or isinstance(token_id, bool) or token_id < 0:
            raise ValueError(
                f"{place}: the id of {piece!r} is {_shown(token_id)}, but an id is a whole number from 0. {_WRITE_JSON}"
            )
        if token_id in owners:
            raise ValueError(f"{place}: {owners[token_id]!r} and {piece!r} both have the id {token_id}. {_REMOVE}")
        owners[token_id] = piece
    if max(owners) >= len(owners):
        gap = next(number for number in range(len(owners)) if number not in owners)
        raise ValueError(
            f"{place}: no piece has the id {gap}, but there are ids up to {max(owners)}. {_FETCH} If the piece is an "
            "added token, put it into the vocabulary with this id."
        )
    return vocab


def read_merges(source: str | Path | Iterable[Any], vocab: dict[str, int]) -> Merges:
    """The merges of a BPE vocabulary, the most frequent first: a merges.txt, or a list of "a b" or ("a", "b").

    Raises OSError, or ValueError that names the first merge that is no pair or does not fit `vocab`.
    """
    if isinstance(source, (str, Path)):
        place, entries, first = f"{source}, line", list(_lines(source)), 1
    else:
        place, entries, first = "merges, entry", list(source), 0
    merges: Merges = []
    for number, entry in enumerate(entries, start=first):
        if not entry or (number == first and isinstance(entry, str) and entry.startswith("#version")):
            continue
        parts = entry.split(" ") if isinstance(entry, str) else entry
        if len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
            raise ValueError(
                f"{place} {number}: {_shown(parts)} is no merge. Each is two pieces with one space between them, as in "
                f"'Ġt he'. {_FETCH}"
            )
        left, right = parts
        if left not in vocab or right not in vocab or left + right not in vocab:
            absent = next(piece for piece in (left, right, left + right) if piece not in vocab)
            raise ValueError(
                f"{place} {number}: the merge {left!r} + {right!r} does not fit, for {absent!r} is not among the "
                f"{len(vocab)} pieces of the vocabulary. vocab.json and merges.txt must come from one training: take "
                "both from the same checkpoint."
            )
        merges.append((left, right))
    return merges


def read_ranked_pairs(source: str | Path) -> Merges:
    """The pairs of a merges.txt of fastBPE, the most frequent first: "t h 1234", the count left out where none is.

    They may lead to pieces that the vocabulary lacks. Raises OSError, or ValueError that names the line.
    """
    pairs: Merges = []
    for number, line in enumerate(_lines(source), start=1):
        parts = line.split()
        if not parts or (number == 1 and line.startswith("#version")):
            continue
        if len(parts) not in (2, 3) or (len(parts) == 3 and not parts[2].isdecimal()):
            raise ValueError(
                f"{source}, line {number}: {_shown(line)} is no merge. Each is two pieces, and how often they met, "
                f"with spaces between, as in 't h 1234'. {_FETCH}"
            )
        pairs.append((parts[0], parts[1]))
    return pairs


def read_tiktoken(path: str | Path) -> dict[bytes, int]:
    """The ranks of a tiktoken file: on each line a token's bytes in base64, a space, and its rank.

    Raises OSError, or ValueError that names the line. Ranks may leave gaps: special tokens have the ids between.
    """
    ranks: dict[bytes, int] = {}
    lines: dict[int, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line:
            continue
        code, _, rank = line.partition(" ")
        try:
            token = b"" if code == "=" else base64.b64decode(code, validate=True)  # Whisper's file has "=" for b""
        except binascii.Error as error:
            raise ValueError(f"{path}, line {number}: {code[:40]!r} is not base64 ({error}). {_NO_RANKS}") from None
        if not rank.isdecimal():
            raise ValueError(f"{path}, line {number}: the rank {rank[:40]!r} is no whole number. {_NO_RANKS}")
        if int(rank) in lines:
            raise ValueError(f"{path}, line {number}: the rank {rank} stands on line {lines[int(rank)]} too. {_FETCH}")
        if token in ranks:
            raise ValueError(
                f"{path}, line {number}: the token {token!r} has the rank {ranks[token]} already. {_FETCH}"
            )
        ranks[token], lines[int(rank)] = int(rank), number
    if not ranks:
        raise ValueError(f"{path}: there are no ranks in it. {_FETCH}")
    return ranks


def is_tiktoken(path: str | Path) -> bool:
    """Whether a file, such as a tokenizer.model, begins like tiktoken ranks: base64, a space, a number."""
    with Path(path).open("rb") as file:
        code, _, rank = file.readline(200).strip().partition(b" ")
    return rank.isdigit() and not code.strip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def _lines(path: str | Path) -> list[str]:
    """The lines of a UTF-8 file, without a byte-order mark and with Windows' line ends taken off."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 (byte {error.start}: {error.reason}). If it was saved on Windows as cp949, save it "
            "again as UTF-8; if it is no text, it is no vocabulary."
        ) from error
    return [line.removesuffix("\r") for line in text.split("\n")]  # splitlines() would cut pieces at U+2028


def _numbered(pieces: Sequence[str], place: str, unit: str) -> dict[str, int]:
    vocab = {piece: number for number, piece in enumerate(pieces)}
    if len(vocab) < len(pieces):
        first = 1 if unit == "lines" else 0
        seen: dict[str, int] = {}
        for number, piece in enumerate(pieces, start=first):
            if piece in seen:
                raise ValueError(
                    f"{place}: the piece {piece!r} stands on {unit} {seen[piece]} and {number}, so its id is "
                    f"unclear. {_REMOVE}"
                )
            seen[piece] = number
    return vocab


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


_FETCH = "Download it again, or save it again from the tokenizer that wrote it."
_REMOVE = "Remove the one that the model was not trained with."
_WRITE_JSON = 'It looks like {"[PAD]": 0, "[UNK]": 1, …}.'
_NO_RANKS = "Is it a SentencePiece model? LlamaTokenizer and its kind read those. Else download it again."
