"""Drafts by a model with other tokens (universal assisted decoding): what both have in common is the text."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .drafts import Draft, Writer, setting
from .run import Run

_CUT = "\ufffd"  # what bytes that are no letter yet decode to


class Translator:
    """Spells the text for the assistant_model, lets it write on, and spells that in the model's tokens.

    Only the last target_lookbehind and assistant_lookbehind tokens are spelled anew, for tokens at a seam may join.
    A draft that was lost in translation costs time only, as the model checks it. It is drawn by no probability that
    the model's tokens have, so it counts as a guess.
    """

    def __init__(self, run: Run) -> None:
        if run.model.config.is_encoder_decoder or run.assistant.config.is_encoder_decoder:
            raise ValueError(
                "an assistant_model with another tokenizer can help decoders only, for a source is read once and by "
                "the encoder's own tokens: pass an assistant with the same tokenizer"
            )
        self.writer = Writer(run, {})
        self.ours, self.theirs = run.tokenizer, run.assistant_tokenizer
        self.our_special = set(self.ours.all_special_ids)
        self.their_ends = {*run.assistant.generation_config.eos, *self.theirs.all_special_ids}
        self.behind = setting(run, "target_lookbehind")
        self.assistant_behind = setting(run, "assistant_lookbehind")
        self.longest = run.settings.max_length - 1
        self.spelled: list[int] = []  # the text in the assistant's tokens
        self.drafted = 0

    def draft(self, ids: Tensor) -> Draft:
        our_ids = ids[0].tolist()
        tokens = self._translated(our_ids)[: self.longest - len(our_ids)]
        self.drafted = len(tokens)
        return Draft(torch.tensor(tokens, dtype=torch.long, device=ids.device))

    def learn(self, kept: int) -> None:
        self.writer.learn(whole=kept == self.drafted)

    def _translated(self, our_ids: list[int]) -> list[int]:
        text = _decode(self.ours, our_ids)
        if not text or text.endswith(_CUT) or len(our_ids) >= self.longest:
            return []
        self.spelled = self._spell(text)
        read = torch.tensor([self.spelled])
        written, _ = self.writer.write(read, self.longest, _as_they_are, self.their_ends, sampling=False)
        before = _decode(self.theirs, self.spelled)
        said = _decode(self.theirs, [*self.spelled, *written.tolist()]).rstrip(_CUT)
        new = said[len(before) :] if said.startswith(before) else ""
        return self._spell_back(our_ids, text, new) if new else []

    def _spell(self, text: str) -> list[int]:
        """The text in the assistant's tokens: what it read before, but for the last of them, and the rest."""
        known = self.spelled[: -self.assistant_behind]
        head = _decode(self.theirs, known)
        if known and text.startswith(head):
            ids = known + self.theirs.encode(text[len(head) :], add_special_tokens=False)
            if _decode(self.theirs, ids) == text:
                return ids
        ids = self.theirs.encode(text)
        while len(ids) > 1 and ids[-1] in self.their_ends:  # some tokenizers end every text
            ids.pop()
        return ids

    def _spell_back(self, our_ids: list[int], text: str, new: str) -> list[int]:
        """The new text in the model's tokens, as they come behind the last ones."""
        head = _decode(self.ours, our_ids[: -self.behind])
        tail = [token for token in our_ids[-self.behind :] if token not in self.our_special]
        if text.startswith(head):
            ids = self.ours.encode(text[len(head) :] + new, add_special_tokens=False)
            for skipped in range(len(tail)):  # the first ones may be spelled otherwise without what stood before
                part = tail[skipped:]
                for place in range(len(ids) - len(part) + 1):
                    if ids[place : place + len(part)] == part:
                        return ids[place + len(part) :]
        return self.ours.encode(new, add_special_tokens=False)


def _decode(tokenizer: Any, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _as_they_are(ids: Tensor, logits: Tensor) -> Tensor:
    return logits
