"""From token ids to vectors: words, positions and segments, summed and normalised."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def look_up(embedding: nn.Module, ids: Tensor, name: str = "input_ids") -> Tensor:
    """embedding(ids), with a clear error for an id that is outside (on the CPU, where looking is free).

    What a user has put in its place, such as vectors that are learned in front of a text, is called as it is.
    """
    if ids.is_floating_point() or ids.dtype is torch.bool:
        raise ValueError(f"{name} holds numbers of {ids.dtype}; expected whole numbers, as a tokenizer gives them")
    weight = getattr(embedding, "weight", None)
    if weight is not None and not torch.compiler.is_compiling() and ids.device.type == "cpu" and ids.numel():
        low, high = int(ids.min()), int(ids.max())
        count = weight.shape[0]
        if low < 0 or high >= count:
            raise ValueError(
                f"{name} holds the id {low if low < 0 else high}, but the model knows 0 to {count - 1}: use "
                "the tokenizer that belongs to the model, or resize_token_embeddings after adding tokens"
            )
    return embedding(ids)


def check_length(length: int, limit: int) -> None:
    """A text longer than the positions that the model has learned is a ValueError."""
    if length > limit:
        raise ValueError(
            f"the text has {length} tokens, but the model knows {limit} positions: tokenize with truncation=True, "
            f"max_length={limit}, or split the text"
        )


def tokens_or_vectors(input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
    """Whichever of the two was given; exactly one must be."""
    if (input_ids is None) == (inputs_embeds is None):
        what = "neither" if input_ids is None else "both"
        raise ValueError(f"pass either input_ids or inputs_embeds: {what} of them was given")
    if inputs_embeds is not None:
        _check_dimensions("inputs_embeds", inputs_embeds, ("batch", "length", "hidden"))
        return inputs_embeds
    assert input_ids is not None
    _check_dimensions("input_ids", input_ids, ("batch", "length"))
    return input_ids


def _check_dimensions(name: str, given: Tensor, expected: tuple[str, ...]) -> None:
    if not isinstance(given, Tensor):
        raise TypeError(f"{name} is a {type(given).__name__}; expected a tensor: tokenize with return_tensors='pt'")
    if given.dim() != len(expected):
        raise ValueError(
            f"{name} has shape {tuple(given.shape)}; expected ({', '.join(expected)}): "
            + (
                "tokenize with return_tensors='pt', or add a batch dimension"
                if given.dim() < len(expected)
                else "take the dimension too many out; rows of a dataset are tokenized without return_tensors"
            )
        )
    if given.shape[1] == 0:
        raise ValueError(f"{name} has shape {tuple(given.shape)}: the text is empty, there must be one token at least")


def check_fit(name: str, ids: Tensor, given: Tensor) -> None:
    """Ids that go with the tokens, whole numbers: one for each, or one row for all texts."""
    batch, length = given.shape[:2]
    if tuple(ids.shape) not in ((batch, length), (1, length)):
        raise ValueError(f"{name} has shape {tuple(ids.shape)}, the text {(batch, length)}: one number for each token")
    if ids.is_floating_point():
        raise ValueError(f"{name} holds numbers of {ids.dtype}; expected whole numbers")


def word_vectors(embedding: Any, input_ids: Tensor | None, given: Tensor) -> Tensor:
    """The vectors of input_ids; without them `given`, vectors (batch, length, size) that stand in their place."""
    if input_ids is not None:
        return look_up(embedding, input_ids)
    size = embedding.weight.shape[1]
    if given.shape[2] != size:
        raise ValueError(f"inputs_embeds has vectors of size {given.shape[2]}, the model's have {size}")
    return given


def places(position_ids: Tensor | None, given: Tensor, past: int = 0) -> Tensor:
    """position_ids that fit `given`, (batch, length, …); without them past, past + 1, …"""
    if position_ids is None:
        return counted_positions(given.shape[1], past, given.device)
    check_fit("position_ids", position_ids, given)
    return position_ids


def counted_positions(length: int, past: int, device: torch.device) -> Tensor:
    """(1, length): past, past + 1, …"""
    return torch.arange(past, past + length, device=device)[None]


def positions_after_padding(input_ids: Tensor, padding: int, past: int = 0) -> Tensor:
    """(batch, length): real tokens count up from padding + 1, padding tokens stand at `padding`."""
    real = (input_ids != padding).long()
    return (torch.cumsum(real, dim=1) + past) * real + padding


class TextEmbeddings(nn.Module):
    """word + position + segment -> norm -> dropout, under the names that encoders share on disk."""

    def __init__(
        self,
        *,
        vocab_size: int,
        size: int,
        positions: int,
        segments: int,
        padding: int | None,
        norm_eps: float,
        dropout: float,
        padded_positions: bool = False,
    ) -> None:
        super().__init__()
        if padding is not None and not -vocab_size <= padding < vocab_size:
            raise ValueError(
                f"pad_token_id {padding} of the config is no id of its vocabulary, 0 to {vocab_size - 1}: correct one "
                "of them; new tokens are added by resize_token_embeddings"
            )
        self.word_embeddings = nn.Embedding(vocab_size, size, padding_idx=padding)
        self.position_embeddings = nn.Embedding(positions, size, padding_idx=padding if padded_positions else None)
        if segments:
            self.token_type_embeddings = nn.Embedding(segments, size)
        self.LayerNorm = nn.LayerNorm(size, eps=norm_eps)
        self.dropout = nn.Dropout(dropout)
        self.first_position = padding + 1 if padded_positions and padding is not None else 0

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past: int = 0,
    ) -> Tensor:
        """(batch, length) ids -> (batch, length, size). `past`: how many positions a cache holds already."""
        given = tokens_or_vectors(input_ids, inputs_embeds)
        check_length(past + given.shape[1], self.position_embeddings.num_embeddings - self.first_position)
        x = word_vectors(self.word_embeddings, input_ids, given)
        if hasattr(self, "token_type_embeddings"):
            if token_type_ids is None:
                x = x + self.token_type_embeddings.weight[0]
            else:
                check_fit("token_type_ids", token_type_ids, given)
                x = x + look_up(self.token_type_embeddings, token_type_ids, "token_type_ids")
        if position_ids is None and self.first_position and input_ids is not None:
            position_ids = positions_after_padding(input_ids, self.first_position - 1, past)
        position_ids = places(position_ids, given, past + self.first_position)
        x = x + look_up(self.position_embeddings, position_ids, "position_ids")
        return self.dropout(self.LayerNorm(x))


def resize_rows(old: Any, count: int, mean: bool, init: Callable[[nn.Module], None]) -> nn.Module:
    """An embedding, or a linear layer onto a vocabulary, with another number of rows.

    Rows in both are kept. New ones are the mean of the old ones, or what `init` gives.
    """
    new: Any = copy.copy(old)  # of the same class, with what else that holds
    new._parameters = {
        name: None if p is None else nn.Parameter(p.new_empty(count, *p.shape[1:]))
        for name, p in old._parameters.items()
    }
    if isinstance(old, nn.Embedding):
        new.num_embeddings = count
        new.padding_idx = old.padding_idx if old.padding_idx is not None and old.padding_idx < count else None
    else:
        new.out_features = count
    kept = min(count, len(old.weight))
    with torch.no_grad():
        init(new)
        for name, known in old.named_parameters(recurse=False):
            fresh = new.get_parameter(name)
            if mean:
                fresh[kept:] = known.float().mean(0).to(known.dtype)
            fresh[:kept] = known[:kept]
    return new
