"""Tokens as people read them: each with the characters that it stands for, and letters that fell apart put together."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...generation.token_bytes import TokenBytes
from .contents import Piece, Sequence

SPACE, BREAK = "␣", "↵"


def sequence_of(
    name: str, tokenizer: Any, ids: Tensor, mask: Tensor | None, encoded: list[tuple[list[str], Any]], start: int = 0
) -> Sequence:
    """ids (length,) as pieces; from `start` on (if it is not 0) they were written by the model.

    encoded: what the tokenizer has read, in which the place of these ids in a text is looked up.
    """
    numbers = [int(each) for each in ids]
    specials = special_ids(tokenizer)
    pieces = [
        Piece(own_name(tokenizer, each), each, "", special=each in specials, written=0 < start <= place)
        for place, each in enumerate(numbers)
    ]
    if mask is not None and len(mask) == len(pieces):
        for piece, real in zip(pieces, mask.tolist(), strict=True):
            piece.mask = int(real)
    spell(tokenizer, pieces)
    return Sequence(name, pieces, find_places(tokenizer, pieces, numbers, encoded))


def special_ids(tokenizer: Any) -> set[int]:
    """The ids that stand for no text. The one for unknown words does, unless it is an end or another mark as well."""
    marks = {getattr(tokenizer, f"{name}_token_id", None) for name in ("bos", "eos", "pad", "cls", "sep", "mask")}
    unknown = {tokenizer.unk_token_id} - marks
    return {each for each in tokenizer.all_special_ids if each is not None} - unknown


def spell(tokenizer: Any, pieces: list[Piece]) -> None:
    """Give each piece its text. Bytes of one letter in several tokens give that letter, and each its share of it."""
    try:
        bytes_of = TokenBytes(tokenizer)
    except ValueError:  # not on the engine
        for piece in pieces:
            piece.text = tokenizer.decode([piece.id])
        return
    held: list[tuple[Piece, bytes]] = []
    for piece in pieces:
        if piece.special:
            share_text(held)
            held, piece.text = [], piece.token
            continue
        held.append((piece, bytes_of[piece.id] or b""))
        if not is_cut(b"".join(data for _, data in held)):
            share_text(held)
            held = []
    share_text(held)


def share_text(held: list[tuple[Piece, bytes]]) -> None:
    """The text that these pieces are together; bytes that are none, as a model may write them, by their numbers."""
    try:
        text = b"".join(data for _, data in held).decode("utf-8")
    except UnicodeDecodeError:
        for piece, data in held:
            piece.text = as_text(data)
        return
    for number, (piece, _) in enumerate(held, 1):
        piece.text = text
        piece.share = f"{number}/{len(held)}" if len(held) > 1 else ""


def as_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return f"‹{data.hex(' ')}›"


def token_names(tokenizer: Any, ids: list[int]) -> list[str]:
    """How each of these tokens reads by itself; bytes that are no letter yet as ‹ec b5›."""
    try:
        bytes_of = TokenBytes(tokenizer)
    except ValueError:
        return [tokenizer.decode([each]) for each in ids]
    return [token_name(tokenizer, bytes_of, each) for each in ids]


def token_name(tokenizer: Any, bytes_of: TokenBytes, token_id: int) -> str:
    data = None if token_id in bytes_of.special else bytes_of[token_id]
    return as_text(data) if data else own_name(tokenizer, token_id)


def own_name(tokenizer: Any, token_id: int) -> str:
    """The token's name in the vocabulary; a model may know more ids than its tokenizer has tokens."""
    name = tokenizer.convert_ids_to_tokens(token_id)
    return f"‹id {token_id}›" if name is None else str(name)


def is_cut(data: bytes) -> bool:
    """Whether the data ends inside a letter that more bytes could complete."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def find_places(tokenizer: Any, pieces: list[Piece], ids: list[int], encoded: list[tuple[list[str], Any]]) -> list[str]:
    """Note in the pieces which characters they stand for, and return the texts in which those count."""
    fitting = [
        number
        for number, (_, encoding) in enumerate(encoded)
        if encoding.ids == ids[: len(encoding.ids)] and not any(piece.written for piece in pieces[: len(encoding.ids)])
    ]
    if not fitting:
        return []
    longest = max(fitting, key=lambda number: len(encoded[number][1].ids))
    texts, encoding = encoded.pop(longest)  # windows of one text may be alike: the next one is another's
    for piece, place, number in zip(pieces, encoding.offsets, encoding.sequence_ids, strict=False):
        if number is not None and number < len(texts) and place[0] < place[1]:
            piece.number, (piece.start, piece.end) = number, place
            if not piece.share:
                piece.text = texts[number][slice(*place)]
    return texts


def shown(text: str) -> str:
    """With spaces and breaks that can be seen, and nothing that steers a terminal."""
    text = text.replace("\r\n", BREAK).replace("\n", BREAK)
    head = len(text) - len(text.lstrip(" "))
    text = SPACE * head + text[head:]
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text) or "∅"
