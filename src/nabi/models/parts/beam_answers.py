"""Answers by beam search, with the chance that there is none (arXiv:1906.08237): a head that two families have."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn import heads


class SpanStart(nn.Module):
    """(…, hidden) -> (…): does an answer start here?"""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x).squeeze(-1)


class SpanEnd(nn.Module):
    """Does the answer that starts with `start` end here? Both (…, hidden) -> (…)"""

    def __init__(self, size: int, norm_eps: float) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * size, size)
        self.LayerNorm = nn.LayerNorm(size, eps=norm_eps)
        self.dense_1 = nn.Linear(size, 1)

    def forward(self, x: Tensor, start: Tensor) -> Tensor:
        joined = torch.cat((x, start.expand_as(x)), dim=-1)
        return self.dense_1(self.LayerNorm(torch.tanh(self.dense_0(joined)))).squeeze(-1)


class AnswerClass(nn.Module):
    """The start and the token that speaks for the text, each (batch, hidden) -> (batch,): is there no answer?"""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * size, size)
        self.dense_1 = nn.Linear(size, 1, bias=False)

    def forward(self, start: Tensor, text: Tensor) -> Tensor:
        return self.dense_1(torch.tanh(self.dense_0(torch.cat((start, text), dim=-1)))).squeeze(-1)


class BeamQuestionAnswering(heads.HeadModel):
    """The likeliest starts, the likeliest ends for each of them, and whether there is an answer at all."""

    start_logits: Any
    end_logits: Any
    answer_class: Any

    def build(self, config: Any) -> None:
        size = config.hidden_size
        self.start_logits, self.answer_class = SpanStart(size), AnswerClass(size)
        self.end_logits = SpanEnd(size, config.layer_norm_eps)

    def forward(
        self,
        *args: Any,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        is_impossible: Tensor | None = None,
        cls_index: Tensor | None = None,
        p_mask: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """With both positions (batch,) the loss alone; else start_top_log_probs and start_top_index
        (batch, config.start_n_top), end_top_log_probs and end_top_index (batch, start_n_top * end_n_top), which are
        probabilities in spite of their name, and cls_logits (batch,).

        is_impossible (batch,), 1 where there is no answer; cls_index (batch,), the token that speaks for the text,
        default the last; p_mask (batch, length), 1 where no answer may start or end.
        """
        out = self.run_body(*args, **inputs)
        x = out.last_hidden_state
        start_logits = hide(self.start_logits(x), p_mask)
        if start_positions is None or end_positions is None:
            answer = self.search(x, start_logits, cls_index, p_mask)
        else:
            starts, ends = start_positions.reshape(-1), end_positions.reshape(-1)
            end_logits = hide(self.end_logits(x, token_at(x, starts)[:, None]), p_mask)
            loss = (F.cross_entropy(start_logits, starts) + F.cross_entropy(end_logits, ends)) / 2
            if cls_index is not None and is_impossible is not None:
                logits = self.answer_class(token_at(x, starts), token_at(x, cls_index.reshape(-1)))
                loss = loss + 0.5 * F.binary_cross_entropy_with_logits(logits, is_impossible.reshape(-1).to(x.dtype))
            answer = {"loss": loss}
        return self.answer(out, **answer)

    def search(self, x: Tensor, start_logits: Tensor, cls_index: Tensor | None, p_mask: Tensor | None) -> Any:
        chances = torch.softmax(start_logits, dim=-1)
        start_chances, start_index = chances.topk(self.config.start_n_top, dim=-1)
        starts = x.gather(1, start_index[..., None].expand(-1, -1, x.shape[-1]))  # (batch, starts, hidden)
        places = x[:, :, None].expand(-1, -1, starts.shape[1], -1)  # (batch, length, starts, hidden)
        end_logits = hide(self.end_logits(places, starts[:, None]), None if p_mask is None else p_mask[..., None])
        end_chances, end_index = torch.softmax(end_logits, dim=1).topk(self.config.end_n_top, dim=1)
        text = x[:, -1] if cls_index is None else token_at(x, cls_index.reshape(-1))
        return {
            "start_top_log_probs": start_chances,
            "start_top_index": start_index,
            "end_top_log_probs": end_chances.flatten(1),
            "end_top_index": end_index.flatten(1),
            "cls_logits": self.answer_class((chances[..., None] * x).sum(1), text),
        }


def token_at(x: Tensor, index: Tensor) -> Tensor:
    """(batch, length, hidden), (batch,) -> (batch, hidden)"""
    return x[torch.arange(len(x), device=x.device), index]


def hide(logits: Tensor, mask: Tensor | None) -> Tensor:
    """Very low where the mask is 1."""
    if mask is None:
        return logits
    return logits * (1 - mask) - (65500 if mask.dtype == torch.float16 else 1e30) * mask
