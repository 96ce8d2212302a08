"""Classifier-free guidance: away from what the model would say without the prompt."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .base import LogitsProcessor, number


class UnbatchedClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """scale * (log p(with the prompt) - log p(without)) + log p(without) (arXiv:2306.17806).

    Without means: behind `unconditional_ids` (texts, length), a negative prompt; else behind the prompt's last token
    alone. The model runs a second time a step, with a cache of its own, so one processor serves one call of
    `generate`, in which rows stay where they are. Raises ValueError where they do not, as in beam search.
    """

    def __init__(
        self,
        guidance_scale: float,
        model: Any,
        unconditional_ids: Tensor | None = None,
        unconditional_attention_mask: Tensor | None = None,
        use_cache: bool = True,
    ) -> None:
        self.guidance_scale = number("guidance_scale", guidance_scale, lambda value: value == value, "a number")
        self.model = model
        self.use_cache = use_cache
        self._ids = unconditional_ids
        self._mask = unconditional_attention_mask
        self._cache: Any = None
        self._seen: Tensor | None = None  # the ids of the step before

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.log_softmax(dim=-1)
        if self.guidance_scale == 1:
            return scores
        without = self._unconditional(input_ids).log_softmax(dim=-1)
        return self.guidance_scale * (scores - without) + without

    def _unconditional(self, input_ids: Tensor) -> Tensor:
        """(rows, vocabulary)"""
        newest = input_ids[:, -1:]
        if self._seen is None:
            ids = newest if self._ids is None else _one_a_row(self._ids, input_ids)
            mask = torch.ones_like(ids) if self._mask is None else _one_a_row(self._mask, input_ids)
        else:
            if not torch.equal(self._seen, input_ids[:, :-1]):
                raise ValueError(
                    "guidance_scale follows texts that grow by one token a step, but rows have changed their places: "
                    "use num_beams=1, and a new processor for each call"
                )
            assert self._ids is not None and self._mask is not None
            ids = newest if self.use_cache else torch.cat((self._ids, newest), dim=1)
            mask = torch.cat((self._mask, torch.ones_like(newest)), dim=1)
        self._ids, self._mask, self._seen = ids, mask, input_ids
        output = self.model(ids, attention_mask=mask, use_cache=self.use_cache, past_key_values=self._cache)
        self._cache = output.past_key_values if self.use_cache else None
        return output.logits[:, -1]


def _one_a_row(negative: Tensor, input_ids: Tensor) -> Tensor:
    """The negative prompt of each row, from one for each text or one for all."""
    rows = input_ids.shape[0]
    if negative.dim() != 2 or rows % negative.shape[0]:
        raise ValueError(
            f"the negative prompt has the shape {tuple(negative.shape)}; expected (texts, length), for {rows} rows"
        )
    return negative.to(input_ids.device).repeat_interleave(rows // negative.shape[0], dim=0)
