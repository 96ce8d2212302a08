"""The bytes that each token adds to a text, whatever kind of vocabulary it comes from.

A letter may be spread over several tokens (Korean over bytes), so text is put together from bytes, and not from
decoded pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer, decoders

from ..tokenization.bpe_steps import byte_of_letter

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")  # SentencePiece's tokens for single bytes


class TokenBytes:
    """`TokenBytes(tokenizer)[id]` is what the token adds behind other text, with the space if it begins a word.

    None for an id that no token has. Raises ValueError for a tokenizer that does not run on the `tokenizers` engine.
    """

    def __init__(self, tokenizer: Any) -> None:
        engine = getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(engine, Tokenizer):
            raise ValueError(
                f"tokenizer is a {type(tokenizer).__name__}; expected one with a vocabulary of tokens, as "
                "AutoTokenizer.from_pretrained gives"
            )
        self.engine = engine
        self.added = engine.get_added_tokens_decoder()
        self.special = {token_id for token_id, token in self.added.items() if token.special}
        self.special.update(each for each in tokenizer.all_special_ids if each is not None)
        self._spell = _spelling(engine.decoder)
        self._known: dict[int, bytes | None] = {}

    def __getitem__(self, token_id: int) -> bytes | None:
        if token_id not in self._known:
            self._known[token_id] = self._bytes(token_id)
        return self._known[token_id]

    def __len__(self) -> int:
        """One more than the largest id."""
        return max(self.engine.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def _bytes(self, token_id: int) -> bytes | None:
        piece = self.engine.id_to_token(token_id)
        if piece is None:
            return None
        if token_id in self.added and isinstance(self.engine.decoder, decoders.ByteLevel):
            return piece.encode()  # its letters stand for themselves
        return self._spell(piece)

    @property
    def first_loses_its_space(self) -> bool:
        """Whether decoding drops the space that a text's first token begins with."""
        decode = _decode(self.engine.decoder)
        return any(decode([piece]) != decode(["a", piece])[1:] for piece in ("a", "▁a"))

    def continues(self, token_id: int) -> bool:
        """Whether the token can only go on with a word (WordPiece's "##"), so that no text begins with it."""
        decoder = self.engine.decoder
        piece = self.engine.id_to_token(token_id)
        return isinstance(decoder, decoders.WordPiece) and piece is not None and piece.startswith(decoder.prefix)


def _spelling(decoder: Any) -> Callable[[str], bytes]:
    """Piece -> its bytes, as the decoder would spell it behind other text."""
    decode = _decode(decoder)
    steps = repr(decoder)  # of a sequence of decoders too

    def behind_text(piece: str) -> bytes:
        return decode(["a", piece])[1:].encode()

    def with_bytes(piece: str) -> bytes:
        match = _BYTE.fullmatch(piece)
        return bytes([int(match[1], 16)]) if match else behind_text(piece)

    def by_letters(piece: str) -> bytes:
        table = byte_of_letter()
        return bytes(table[letter] for letter in piece) if all(map(table.__contains__, piece)) else behind_text(piece)

    def with_suffix(piece: str) -> bytes:
        return piece.replace(decoder.suffix, " ").encode()

    if isinstance(decoder, decoders.BPEDecoder):
        return with_suffix
    if "ByteFallback(" in steps:
        return with_bytes
    return by_letters if "ByteLevel(" in steps else behind_text


def _decode(decoder: Any) -> Callable[[list[str]], str]:
    return " ".join if decoder is None else decoder.decode
