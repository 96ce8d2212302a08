"""When a text is finished."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from .processors.base import TokenSet, number, whole, with_own
from .token_bytes import TokenBytes


class StoppingCriteria:
    """Says which rows are finished; subclass it and write `__call__`, which may return one bool for all rows."""

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor | bool:
        """Ids so far (rows, length), the scores of each step if they are kept -> finished? (rows,)"""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(input_ids, scores): write one")


class StoppingCriteriaList(list):
    """A row is finished as soon as one criterion says so."""

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        rows = input_ids.shape[0]
        finished = torch.zeros(rows, dtype=torch.bool, device=input_ids.device)
        for criterion in self:
            answer = torch.as_tensor(criterion(input_ids, scores, **kwargs), device=input_ids.device)
            if answer.shape not in ((), (1,), (rows,)):
                raise ValueError(
                    f"{type(criterion).__name__} answered with the shape {tuple(answer.shape)} for {rows} rows: return "
                    f"one bool, or a tensor of the shape ({rows},)"
                )
            finished = finished | answer.bool()
        return finished

    @property
    def max_length(self) -> int | None:
        """That of the MaxLengthCriteria or v4's MaxNewTokensCriteria in the list, if there is one."""
        kinds = (MaxLengthCriteria, MaxNewTokensCriteria)
        return next((each.max_length for each in self if isinstance(each, kinds)), None)


class MaxLengthCriteria(StoppingCriteria):
    """Finished with `max_length` tokens, prompt included. Past `max_position_embeddings` a warning is given once."""

    def __init__(self, max_length: int, max_position_embeddings: int | None = None) -> None:
        self.max_length = whole("max_length", max_length, 0)
        self.max_position_embeddings = max_position_embeddings

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        length = input_ids.shape[1]
        if self.max_position_embeddings is not None and self.max_position_embeddings < length < self.max_length:
            warnings.warn(
                f"The text has {length} tokens by now, and the model was made for {self.max_position_embeddings}: it "
                "may lose its thread, or fail",
                stacklevel=2,
            )
            self.max_position_embeddings = None
        return _all_rows(input_ids, length >= self.max_length)


class MaxNewTokensCriteria(StoppingCriteria):
    """v4: finished with `max_new_tokens` behind a prompt of `start_length`."""

    def __init__(self, start_length: int, max_new_tokens: int) -> None:
        self.start_length = whole("start_length", start_length, 0)
        self.max_new_tokens = whole("max_new_tokens", max_new_tokens, 0)
        self.max_length = start_length + max_new_tokens

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        return _all_rows(input_ids, input_ids.shape[1] >= self.max_length)


class MaxTimeCriteria(StoppingCriteria):
    """Finished `max_time` seconds after `initial_timestamp` (as time.time() gives it; default: now)."""

    def __init__(self, max_time: float, initial_timestamp: float | None = None) -> None:
        self.max_time = number("max_time", max_time, lambda value: value >= 0, "a number of seconds from 0")
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        return _all_rows(input_ids, time.time() - self.initial_timestamp > self.max_time)


class EosTokenCriteria(StoppingCriteria):
    """Finished with a token that ends texts: one of the last `new_token_length` of a row."""

    def __init__(self, eos_token_id: int | Sequence[int] | Tensor) -> None:
        self.eos_token_id = TokenSet(eos_token_id, "eos_token_id").ids

    def __call__(self, input_ids: Tensor, scores: Any, new_token_length: int = 1, **kwargs: Any) -> Tensor:
        self.eos_token_id = self.eos_token_id.to(input_ids.device)
        return torch.isin(input_ids[:, -new_token_length:], self.eos_token_id).any(dim=-1)


class StopStringCriteria(StoppingCriteria):
    """Finished with a token in which a stop string ends: at its last letter or before, begun in whichever token.

    Compared as bytes, so letters that are spread over tokens count too. The prompt's tokens are text like any.
    """

    def __init__(self, tokenizer: Any, stop_strings: str | Sequence[str]) -> None:
        strings = (stop_strings,) if isinstance(stop_strings, str) else tuple(stop_strings)
        if not strings or not all(isinstance(each, str) and each for each in strings):
            raise ValueError(
                f"stop_strings is {stop_strings!r}; expected a text, or a list of texts, none of them empty"
            )
        self.stop_strings = strings
        self._stops = [each.encode() for each in strings]
        self._longest = max(map(len, self._stops))  # a token adds a byte or more, so no more tokens need be read
        self._bytes = TokenBytes(tokenizer)

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        rows = input_ids[:, -self._longest :].tolist()
        return torch.tensor([self._ends(row) for row in rows], dtype=torch.bool, device=input_ids.device)

    def _ends(self, row: list[int]) -> bool:
        if not row:
            return False
        pieces = [self._bytes[token] for token in row]
        text = b"".join(b"\xff" if piece is None else piece for piece in pieces)  # 0xff is in no text
        newest = len(text) - len(pieces[-1] or b"\xff")
        return any(text.find(stop, max(0, newest - len(stop) + 1)) >= 0 for stop in self._stops)


class ConfidenceCriteria(StoppingCriteria):
    """Finished where the last token's probability is below the threshold: a draft is handed to the large model."""

    def __init__(self, assistant_confidence_threshold: float) -> None:
        self.assistant_confidence_threshold = number(
            "assistant_confidence_threshold",
            assistant_confidence_threshold,
            lambda value: 0 <= value <= 1,
            "a number from 0 to 1",
        )

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        likely = scores[-1].softmax(dim=-1).gather(-1, input_ids[:, -1:]).squeeze(-1)
        return likely < self.assistant_confidence_threshold


def stopping_for(
    settings: Any,
    *,
    eos: list[int],
    tokenizer: Any = None,
    max_position_embeddings: int | None = None,
    own: Iterable[Any] = (),
) -> StoppingCriteriaList:
    """All that `settings` (a GenerationConfig) ask for; `own` ones take the places of built-in ones of their class.

    Raises ValueError for stop strings without a tokenizer.
    """
    criteria: list[Any] = []
    if settings.max_length is not None:
        criteria.append(MaxLengthCriteria(settings.max_length, max_position_embeddings))
    if settings.max_time is not None:
        criteria.append(MaxTimeCriteria(settings.max_time))
    if settings.stop_strings is not None:
        if tokenizer is None:
            raise ValueError(
                f"stop_strings is {settings.stop_strings!r}, but there is no tokenizer to read tokens with: pass "
                "tokenizer=… to generate too"
            )
        criteria.append(StopStringCriteria(tokenizer, settings.stop_strings))
    if eos:
        criteria.append(EosTokenCriteria(eos))
    if settings.is_assistant and settings.assistant_confidence_threshold:
        criteria.append(ConfidenceCriteria(settings.assistant_confidence_threshold))
    return StoppingCriteriaList(with_own(criteria, own))


def _all_rows(input_ids: Tensor, finished: bool) -> Tensor:
    return torch.full((input_ids.shape[0],), finished, dtype=torch.bool, device=input_ids.device)
