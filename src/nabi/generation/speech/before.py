"""What stands before the text of a window: what was said before it, or a prompt, and the tokens of its beginning."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .beginning import Beginning, detect_language
from .ear import Ear
from .window import Manner

CONDITIONS = ("first-segment", "all-segments")


class Before:
    """Makes the ids that a window's text is written behind.

    starts: the beginning of each text. prompt (length,): what was said before the sound, or terms to expect. Where a
    text reads what it said in the windows before, as much as half of the model's positions hold, the prompt goes out of
    sight with condition "first-segment", and stays with "all-segments". given (rows, length): what the first window's
    text is written behind, in place of all this.
    """

    def __init__(
        self, manner: Manner, starts: list[Beginning], prompt: Any, condition: str | None, given: Tensor | None
    ) -> None:
        model, settings = manner.model, manner.settings
        self.manner, self.settings = manner, settings
        self.given = given
        self.limit: int = model.config.max_target_positions
        self.unheard = starts[0].index(None) if None in starts[0] else None
        self.starts = torch.tensor([[token or 0 for token in start] for start in starts], device=model.device)
        condition = condition or CONDITIONS[0]
        if condition not in CONDITIONS:
            raise ValueError(f"prompt_condition_type is {condition!r}; expected 'first-segment' or 'all-segments'")
        if condition == "all-segments" and not manner.remembers:
            raise ValueError(
                "prompt_condition_type='all-segments' puts the prompt before what was said: pass "
                "condition_on_prev_tokens=True too"
            )
        self.stays = condition == "all-segments"
        self.prompt = None if prompt is None else _checked_prompt(prompt, model)
        self.marker = settings.prev_sot_token_id
        if self.marker is None and len(settings.suppress_tokens or ()) > 1:
            self.marker = settings.suppress_tokens[-2]  # where older files have it

    def hear_languages(self, ear: Ear) -> None:
        """Fill in the languages that nobody named."""
        if self.unheard is not None:
            heard = ear([(text, 0, min(ear.frames, ear.window)) for text in range(ear.texts)])
            self.starts[:, self.unheard] = detect_language(self.manner.model, heard, self.settings)

    def __call__(self, rows: list[Any]) -> tuple[Tensor, Tensor | None]:
        """ids (rows, length), and a mask where some have padding before them.

        rows: text, the sound of each; seek, where it is; segments, those of its text; remembers, whether it reads them.
        """
        if self.given is not None and not rows[0].seek:
            return self.given, None
        starts = self.starts[[row.text for row in rows]]
        said = [self._said(row) if row.remembers else [] for row in rows]
        if not any(said):
            if self.prompt is None:
                return starts, None
            return torch.cat((self.prompt.expand(len(rows), -1), starts), dim=1), None
        if self.stays and self.prompt is not None:
            marker = self.prompt
        else:
            marker = starts.new_tensor([] if self.marker is None else [self.marker])
        half = self.limit // 2 - 1
        before = [torch.cat((marker, torch.cat([starts.new_empty(0), *each])[-half:])) for each in said]
        longest = max(map(len, before))
        lacking = [longest - len(each) for each in before]
        filling = self.settings.pad or 0
        rows_before = [F.pad(each, (short, 0), value=filling) for each, short in zip(before, lacking, strict=True)]
        ids = torch.cat((torch.stack(rows_before), starts), dim=1)
        if not any(lacking):
            return ids, None
        return ids, (torch.arange(ids.shape[1]) >= torch.tensor(lacking)[:, None]).long().to(ids.device)

    def _said(self, row: Any) -> list[Tensor]:
        """What this text said so far, and the prompt before it."""
        said = [] if self.prompt is None or self.stays else [self._unmarked(self.prompt)]
        for segment in row.segments:
            tokens = segment["tokens"]
            # Of the two times at its end one is enough.
            twice = len(tokens) > 2 and int(tokens[-2]) >= self.manner.first_time
            said.append(tokens[:-1] if twice else tokens)
        return said

    def _unmarked(self, prompt: Tensor) -> Tensor:
        return prompt[1:] if int(prompt[0]) == self.settings.prev_sot_token_id else prompt

    def longest(self, ids: Tensor) -> int:
        """The length that a window's rows may come to, with these ids in them; ValueError where there is no room.

        max_length counts the text alone. As with the incumbent it is what the window before came to.
        """
        length, new = ids.shape[1], self.settings.max_new_tokens
        most = self.settings.max_length + min(self.limit // 2 - 1, length) if new is None else length + new
        if (new is not None and most > self.limit) or min(most, self.limit) <= length:
            prompt = 0 if self.prompt is None else len(self.prompt)
            raise ValueError(
                f"{length} tokens stand before the text, {prompt} of them in prompt_ids, and "
                f"{f'max_length is {most}' if new is None else f'max_new_tokens is {new}'}, but the model knows "
                f"{self.limit} positions: pass a shorter prompt, or another max_new_tokens"
            )
        return min(most, self.limit)


def _checked_prompt(prompt: Any, model: Any) -> Tensor:
    ids = torch.as_tensor(prompt)
    if ids.dim() != 1 or not len(ids) or ids.is_floating_point():
        raise ValueError(
            f"prompt_ids has shape {tuple(ids.shape)} and numbers of {ids.dtype}; expected ids of shape (length,), as "
            "processor.get_prompt_ids(text, return_tensors='pt') gives them"
        )
    low, high, known = int(ids.min()), int(ids.max()), model.config.vocab_size
    if low < 0 or high >= known:
        raise ValueError(f"prompt_ids holds the id {low if low < 0 else high}, but the model knows 0 to {known - 1}")
    return ids.long().to(model.device)
