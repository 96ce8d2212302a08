"""Layers and changes of layers that code on models of its own asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..nn.linear import Conv1D as Conv1D
from ..nn.norms import RMSNorm

if torch.distributed.is_available():
    import torch.distributed.tensor  # peft reads it off torch, relying on transformers to have loaded it

ALL_LAYERNORM_LAYERS = [nn.LayerNorm, RMSNorm]


class GradientCheckpointingLayer(nn.Module):
    """A layer that recomputes itself in the backward pass while its `gradient_checkpointing` is set and it trains."""

    gradient_checkpointing = False

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        if not (self.gradient_checkpointing and self.training):
            return super().__call__(*args, **inputs)
        from torch.utils.checkpoint import checkpoint

        call = super().__call__
        return checkpoint(lambda *given: call(*given, **inputs), *args, use_reentrant=False)


def prune_linear_layer(layer: nn.Linear, index: Tensor, dim: int = 0) -> nn.Linear:
    """A layer with these of the outputs (dim 0) or inputs (dim 1)."""
    index = index.to(layer.weight.device)
    weight = layer.weight.detach().index_select(dim, index).clone()
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None).to(weight)
    made.weight = nn.Parameter(weight)
    if layer.bias is not None:
        bias = layer.bias.detach()
        made.bias = nn.Parameter((bias if dim else bias[index]).clone())
    return made


def prune_conv1d_layer(layer: Any, index: Tensor, dim: int = 1) -> Any:
    """The same for GPT-2's layers, (in, out): outputs are dim 1."""
    index = index.to(layer.weight.device)
    weight = layer.weight.detach().index_select(dim, index).clone()
    made = Conv1D(weight.shape[1], weight.shape[0]).to(weight)
    made.weight = nn.Parameter(weight)
    bias = layer.bias.detach()
    made.bias = nn.Parameter((bias[index] if dim else bias).clone())
    return made


def prune_layer(layer: Any, index: Tensor, dim: int | None = None) -> Any:
    if isinstance(layer, nn.Linear):
        return prune_linear_layer(layer, index, 0 if dim is None else dim)
    return prune_conv1d_layer(layer, index, 1 if dim is None else dim)


def find_pruneable_heads_and_indices(
    heads: list[int] | set[int], n_heads: int, head_size: int, already_pruned_heads: set[int]
) -> tuple[set[int], Tensor]:
    """The heads that are still there, of those to prune, and the positions that stay in what is left of all heads."""
    left = set(heads) - already_pruned_heads
    kept = [head for head in range(n_heads) if head not in already_pruned_heads]
    return left, torch.cat(
        [torch.arange(head_size) + place * head_size for place, head in enumerate(kept) if head not in left]
    )


def apply_chunking_to_forward(
    forward_fn: Callable[..., Tensor], chunk_size: int, chunk_dim: int, *tensors: Tensor
) -> Tensor:
    """forward_fn on pieces of chunk_size along a dimension, put together again: less memory, equal results."""
    if chunk_size <= 0:
        return forward_fn(*tensors)
    size = tensors[0].shape[chunk_dim]
    if size % chunk_size:
        raise ValueError(f"{size} rows along dimension {chunk_dim} are no multiple of the chunk size {chunk_size}")
    pieces = zip(*(tensor.split(chunk_size, dim=chunk_dim) for tensor in tensors), strict=True)
    return torch.cat([forward_fn(*piece) for piece in pieces], dim=chunk_dim)


def id_tensor_storage(tensor: Tensor) -> tuple[torch.device, int, int]:
    """What says whether two tensors share their memory."""
    storage = tensor.untyped_storage()
    return tensor.device, storage.data_ptr(), storage.nbytes()


def isin_mps_friendly(elements: Tensor, test_elements: Tensor | int) -> Tensor:
    return torch.isin(elements, test_elements)


def meshgrid(*tensors: Tensor | list[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    return torch.meshgrid(*tensors, indexing=indexing or "ij")


def softmax_backward_data(
    parent: Any, grad_output: Tensor, output: Tensor, dim: int | None = None, self: Any = None
) -> Tensor:
    """The gradient of a softmax's input, by its output."""
    along = parent.dim if dim is None else dim
    return (grad_output - (grad_output * output).sum(along, keepdim=True)) * output
