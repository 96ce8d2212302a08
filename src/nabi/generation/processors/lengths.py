"""How long a text gets: its end is put off, drawn near, or made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .base import LogitsProcessor, TokenSet, number, whole

Ids = int | Sequence[int] | Tensor


class MinLengthLogitsProcessor(LogitsProcessor):
    """No end before the text has `min_length` tokens, prompt included."""

    def __init__(self, min_length: int, eos_token_id: Ids, device: str = "cpu") -> None:
        self.min_length = whole("min_length", min_length, 0)
        self.eos = TokenSet(eos_token_id, "eos_token_id", device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self.eos.without(scores) if input_ids.shape[1] < self.min_length else scores


class MinNewTokensLengthLogitsProcessor(LogitsProcessor):
    """No end before there are `min_new_tokens` behind the prompt's `prompt_length_to_skip`."""

    def __init__(self, prompt_length_to_skip: int, min_new_tokens: int, eos_token_id: Ids, device: str = "cpu") -> None:
        self.prompt_length_to_skip = whole("prompt_length_to_skip", prompt_length_to_skip, 0)
        self.min_new_tokens = whole("min_new_tokens", min_new_tokens, 0)
        self.eos = TokenSet(eos_token_id, "eos_token_id", device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        written = input_ids.shape[1] - self.prompt_length_to_skip
        return self.eos.without(scores) if written < self.min_new_tokens else scores


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """The last token that fits into `max_length` ends the text."""

    def __init__(self, max_length: int, eos_token_id: Ids, device: str = "cpu") -> None:
        self.max_length = whole("max_length", max_length, 1, "forced_eos_token_id stands at the last place of it")
        self.eos = TokenSet(eos_token_id, "forced_eos_token_id", device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self.eos.only(scores) if input_ids.shape[1] == self.max_length - 1 else scores


class ExponentialDecayLengthPenalty(LogitsProcessor):
    """(start, factor): behind `start` new tokens the end's score grows by |score| * (factor ** (tokens since) - 1)."""

    def __init__(
        self, exponential_decay_length_penalty: tuple[int, float], eos_token_id: Ids, input_ids_seq_length: int
    ) -> None:
        given = exponential_decay_length_penalty
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise ValueError(
                f"exponential_decay_length_penalty is {given!r}; expected (start, factor), such as (50, 1.1)"
            )
        start = whole("the start of exponential_decay_length_penalty", given[0], 0)
        self.regulation_start = start + input_ids_seq_length
        self.regulation_factor = number(
            "the factor of exponential_decay_length_penalty", given[1], lambda value: value > 0, "a number above 0"
        )
        self.eos = TokenSet(eos_token_id, "eos_token_id")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        late = input_ids.shape[1] - self.regulation_start
        if late <= 0:
            return scores
        growth = scores.abs() * (self.regulation_factor**late - 1)
        counts = self.eos.mask(scores) & torch.isfinite(scores)  # an end that is excluded stays so
        return scores + growth.masked_fill(~counts, 0)
