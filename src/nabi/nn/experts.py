"""A mixture of experts: each token is computed by the few experts that a router picks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .linear import multiply
from .mlp import activation_function

if TYPE_CHECKING:
    from .block import Block
    from .context import Context


class Experts(nn.Module):
    """Gated MLPs, fused into two tensors in memory and stored one expert at a time.

    On disk the weights stand as `{expert}.{name}.weight`, with the names of gate, up and down that the family has;
    `state_dict` shows them so, as views, and loading joins them.
    """

    def __init__(self, count: int, hidden_size: int, inner_size: int, activation: str, names: Sequence[str]) -> None:
        super().__init__()
        self.gate_up = nn.Parameter(torch.empty(count, 2 * inner_size, hidden_size))
        self.down = nn.Parameter(torch.empty(count, hidden_size, inner_size))
        self.activation = activation_function(activation)
        self.names = tuple(names)

    def forward(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """x (tokens, hidden); weights and chosen (tokens, experts per token) -> (tokens, hidden)"""
        out = torch.zeros_like(x)
        for expert in chosen.unique().tolist():
            token, rank = torch.where(chosen == expert)
            gate, up = multiply(x[token], self.gate_up[expert]).chunk(2, dim=-1)
            y = multiply(self.activation(gate) * up, self.down[expert])
            out = out.index_add(0, token, (y * weights[token, rank, None]).to(out.dtype))
        return out

    def _parts(self) -> dict[str, Tensor]:
        """Name on disk -> the view of it."""
        parts: dict[str, Tensor] = {}
        for i in range(len(self.down)):
            gate, up = self.gate_up[i].chunk(2)
            for name, part in zip(self.names, (gate, up, self.down[i]), strict=True):
                parts[f"{i}.{name}.weight"] = part
        return parts

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for name, part in self._parts().items():
            destination[prefix + name] = part if keep_vars else part.detach()

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        names = list(self._parts())
        missing = [prefix + name for name in names if prefix + name not in state_dict]
        missing_keys.extend(missing)
        if missing:
            return
        parts = [state_dict[prefix + name] for name in names]
        gates, ups, downs = parts[0::3], parts[1::3], parts[2::3]
        gate_up = torch.stack([torch.cat(pair) for pair in zip(gates, ups, strict=True)])
        down = torch.stack(downs)
        if local_metadata.get("assign_to_params_buffers"):
            self.gate_up, self.down = nn.Parameter(gate_up), nn.Parameter(down)
        else:
            with torch.no_grad():
                self.gate_up.copy_(gate_up)
                self.down.copy_(down)


def routed(block: Block, x: Tensor, context: Context) -> Tensor:
    """Each token through the experts that the block's router picks: roles router and experts; and a route."""
    tokens = x.reshape(-1, x.shape[-1])
    logits = block.router(tokens)
    context.router_logits.append(context.rows(logits[None]).flatten(0, 1))
    return block.experts(tokens, *block.route(logits)).view(x.shape)


def route(logits: Tensor, count: int, whole: bool = True) -> tuple[Tensor, Tensor]:
    """The best `count` experts of each token and their shares, which sum to 1 if `whole`: logits (tokens, experts)."""
    shares, chosen = torch.softmax(logits.float(), dim=-1).topk(count, dim=-1)
    return (shares / shares.sum(-1, keepdim=True) if whole else shares), chosen


def balance_loss(logits: Sequence[Tensor], count: int, mask: Tensor | None) -> Tensor:
    """How unevenly the experts are used (arXiv:2101.03961, equations 4 to 6), over all layers' router logits.

    logits: per layer (tokens, experts); mask: (batch, length), padding tokens do not count.
    """
    stacked = torch.cat(list(logits)).float()
    shares = torch.softmax(stacked, dim=-1)
    used = torch.zeros_like(shares).scatter_(1, shares.topk(count, dim=-1).indices, 1.0)
    real = torch.ones(len(shares), 1) if mask is None else mask.reshape(-1, 1).repeat(len(logits), 1)
    real = real.to(shares)
    return shares.shape[-1] * ((used * real).sum(0) * (shares * real).sum(0)).sum() / real.sum() ** 2
