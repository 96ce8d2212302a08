"""Learning speech without text (arXiv:2006.11477): frames are told apart by entries of a learned codebook."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GumbelQuantizer(nn.Module):
    """Frames -> entries of a product codebook, chosen by a hard Gumbel softmax in training (arXiv:1611.01144)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.groups, entries = config.num_codevector_groups, config.num_codevectors_per_group
        if config.codevector_dim % self.groups:
            raise ValueError(
                f"codevector_dim {config.codevector_dim} is not a multiple of num_codevector_groups {self.groups}"
            )
        self.codevectors = nn.Parameter(torch.empty(1, self.groups * entries, config.codevector_dim // self.groups))
        self.weight_proj = nn.Linear(config.conv_dim[-1], self.groups * entries)
        self.temperature = 2.0

    def forward(self, x: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """(batch, frames, codevector_dim), and the perplexity of the codebook over the hidden frames."""
        scores = self.weight_proj(x).unflatten(-1, (self.groups, -1))
        if self.training:
            chosen = F.gumbel_softmax(scores.float(), tau=self.temperature, hard=True).type_as(x)
            used = torch.softmax(scores.float(), dim=-1)
        else:
            chosen = used = F.one_hot(scores.argmax(-1), scores.shape[-1]).type_as(x)
        code = torch.einsum("btgv,gvd->btgd", chosen, self.codevectors[0].unflatten(0, (self.groups, -1)))
        share = used.flatten(0, 1) if hidden is None else used[hidden]
        share = share.mean(0)
        return code.flatten(2), torch.exp(-torch.xlogy(share, share).sum(-1)).sum()


def contrastive_loss(predicted: Tensor, code: Tensor, negatives: Tensor, hidden: Tensor, temperature: float) -> Tensor:
    """How well the prediction for each hidden frame tells its code from other frames' codes; a sum.

    predicted, code (batch, frames, size); negatives (batch, frames, count), frames counted through the whole batch.
    """
    wrong = code.flatten(0, 1)[negatives.long()]
    similar = F.cosine_similarity(
        predicted[:, :, None].float(), torch.cat((code[:, :, None], wrong), dim=2).float(), dim=-1
    )
    same = (wrong == code[:, :, None]).all(-1)  # a negative with the right code is no negative
    scores = similar / temperature
    scores = torch.cat((scores[..., :1], scores[..., 1:].masked_fill(same, float("-inf"))), dim=-1)
    first = torch.zeros(int(hidden.sum()), dtype=torch.long, device=scores.device)
    return F.cross_entropy(scores[hidden], first, reduction="sum")
