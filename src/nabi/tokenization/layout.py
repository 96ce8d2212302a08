"""Where the special tokens stand around one text and around a pair, learned from the engine itself.

The engine's post-processors are of many kinds (template, BERT, RoBERTa, sequences of them). Instead of
reading each one's settings, a short probe is encoded and its frame read off, so every kind is covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from .engine import Engine


@dataclass(frozen=True)
class Layout:
    """`parts` in order: (text 0 or 1, None for a special token; the special token's id, else None; the type id)."""

    parts: tuple[tuple[int | None, int | None, int], ...]

    @classmethod
    def of(cls, engine: Engine, pair: bool) -> Layout:
        """Raises ValueError if the tokenizer gives no token for any text that is tried."""
        probe = _probe(engine)
        [encoding] = engine.encode([(probe, probe) if pair else probe])
        parts: list[tuple[int | None, int | None, int]] = []
        for token_id, type_id, special, text in zip(
            encoding.ids, encoding.type_ids, encoding.special_tokens_mask, encoding.sequence_ids, strict=True
        ):
            part = (None, token_id, type_id) if special else (text or 0, None, type_id)
            if special or part not in parts:  # all tokens of a text are one part
                parts.append(part)
        return cls(tuple(parts))

    def ids(self, *texts: list[int]) -> list[int]:
        """The ids of the texts with the special tokens around them."""
        return self._fill(texts, lambda token_id, type_id: token_id, lambda ids, type_id: ids)

    def type_ids(self, *texts: list[int]) -> list[int]:
        return self._fill(texts, lambda token_id, type_id: type_id, lambda ids, type_id: [type_id] * len(ids))

    def special_mask(self, *texts: list[int]) -> list[int]:
        return self._fill(texts, lambda token_id, type_id: 1, lambda ids, type_id: [0] * len(ids))

    def _fill(self, texts, for_special, for_text) -> list[int]:  # type: ignore[no-untyped-def]
        values: list[int] = []
        for text, token_id, type_id in self.parts:
            values += [for_special(token_id, type_id)] if text is None else for_text(texts[text], type_id)
        return values


def _probe(engine: Engine) -> str:
    """A text that gives at least one token."""
    for text in ("a", "가", "1", ".", *islice(engine.tokenizer.get_vocab(), 50)):
        if 0 in engine.encode([text])[0].special_tokens_mask:
            return text
    raise ValueError(
        "The tokenizer gives no token for any text that was tried, so its special tokens cannot be placed."
    )
