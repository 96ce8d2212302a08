"""Functions on tensors that stand in `transformers.models.….modeling_…`, for models of people's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..nn.attention import repeat_heads
from ..nn.embeddings import positions_after_padding
from ..nn.losses import IGNORED

StableDropout = nn.Dropout


def shift_tokens_right(input_ids: Tensor, pad_token_id: int, decoder_start_token_id: int | None = None) -> Tensor:
    """Targets (batch, length) as a decoder's input: one place later, after the start token.

    Without a start token, as MBart has it, a text's last real token, its language, comes first.
    """
    ids = input_ids.masked_fill(input_ids == IGNORED, pad_token_id)
    if decoder_start_token_id is None:
        last = ids.ne(pad_token_id).sum(1, keepdim=True) - 1
        first = ids.gather(1, last)
    else:
        first = torch.full_like(ids[:, :1], decoder_start_token_id)
    return torch.cat([first, ids[:, :-1]], dim=1)


def create_position_ids_from_input_ids(input_ids: Tensor, padding_idx: int, past_key_values_length: int = 0) -> Tensor:
    """(batch, length): RoBERTa's positions, which count real tokens from padding_idx + 1."""
    return positions_after_padding(input_ids, padding_idx, past_key_values_length)


def rotate_half(x: Tensor) -> Tensor:
    """(…, size): the second half, negated, before the first."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def apply_rotary_pos_emb(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, position_ids: Tensor | None = None, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """Queries and keys (batch, heads, length, size), turned by angles (batch, length, size) (arXiv:2104.09864)."""
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    return q * cos + rotate_half(q) * sin, k * cos + rotate_half(k) * sin


def repeat_kv(hidden_states: Tensor, n_rep: int) -> Tensor:
    """(batch, heads, length, size) -> (batch, heads * n_rep, length, size), each head n_rep times in a row."""
    return repeat_heads(hidden_states, hidden_states.shape[1] * n_rep)
