"""Methods of version 4 that models of people's own call: masks to add, heads to prune, what a model is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .block import Block
from .loss_functions import loss_of
from .masks import additive, attention_mask
from .roles import RoleModule


class OlderMethods(RoleModule):
    """What PreTrainedModel has for them."""

    config: Any
    base_model: Any

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights that are floating-point numbers."""
        return next(p.dtype for p in self.parameters() if p.is_floating_point())

    framework = "pt"
    is_parallelizable = False
    model_parallel = False
    supports_gradient_checkpointing = True

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """Ids that every vocabulary of text has, (3, 5), for a pass that only shall run."""
        return {"input_ids": torch.tensor([[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]])}

    # --- masks ----------------------------------------------------------------------------------------------

    def get_extended_attention_mask(
        self, attention_mask: Tensor, input_shape: Sequence[int], device: Any = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """(batch, keys) -> numbers to add to scores, (batch, 1, 1, keys), or (batch, 1, queries, keys) in a decoder."""
        causal = self.config.is_decoder and attention_mask.dim() == 2
        if not causal:
            return self.invert_attention_mask(attention_mask, dtype)
        mask = _causal(attention_mask, queries=input_shape[-1])
        made = additive(mask, dtype or self.dtype)
        assert made is not None
        return made.expand(len(attention_mask), 1, -1, -1)

    def invert_attention_mask(self, encoder_attention_mask: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """(batch, keys), or (batch, queries, keys), 1 at real tokens -> numbers to add to scores, four dimensions."""
        if encoder_attention_mask.dim() not in (2, 3):
            raise ValueError(
                f"attention_mask has shape {tuple(encoder_attention_mask.shape)}; expected (batch, keys) or "
                "(batch, queries, keys)"
            )
        by_query = encoder_attention_mask if encoder_attention_mask.dim() == 3 else encoder_attention_mask[:, None]
        made = additive(by_query[:, None] != 0, dtype or self.dtype)
        assert made is not None
        return made

    def get_head_mask(self, head_mask: Tensor | None, num_hidden_layers: int) -> Any:
        """(heads,) or (layers, heads) -> (layers, 1, heads, 1, 1); without a mask a None for each layer."""
        if head_mask is None:
            return [None] * num_hidden_layers
        masks = head_mask.expand(num_hidden_layers, -1) if head_mask.dim() == 1 else head_mask
        return masks[:, None, :, None, None].to(self.dtype)

    # --- heads ----------------------------------------------------------------------------------------------

    def prune_heads(self, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
        """Take heads out for good: {layer: [heads, by their numbers before any were taken]}. The config remembers."""
        if self.config.is_encoder_decoder:
            raise ValueError("prune_heads: a model with an encoder and a decoder has two layers of each number")
        blocks = [module for module in self.modules() if isinstance(module, Block)]
        if not blocks:
            raise ValueError(f"prune_heads: the layers of {type(self).__name__} are of a kind that is not pruned")
        pruned = {int(layer): set(heads) for layer, heads in (self.config.pruned_heads or {}).items()}
        for layer, heads in heads_to_prune.items():
            before = pruned.get(int(layer), set())
            _prune(blocks, int(layer), set(heads) - before, before)
            pruned[int(layer)] = before | set(heads)
        self.config.pruned_heads = {layer: sorted(heads) for layer, heads in pruned.items()}

    # --- places and wrappers ---------------------------------------------------------------------------------

    def loss_function(self, *args: Any, **inputs: Any) -> Any:
        """The loss of the class's head: logits, labels and what else it takes -> a number."""
        return loss_of(type(self))(*args, **inputs)

    def get_decoder(self) -> Any:
        """What writes; of a model without an encoder the body."""
        return self.base_model

    def to_bettertransformer(self) -> Any:
        """The model as it is: torch's quick kernels are what it computes with from the start."""
        return self

    reverse_bettertransformer = to_bettertransformer

    def parallelize(self, device_map: Any = None) -> None:
        raise ValueError("parallelize: a model stays whole on one device; move it by model.to(device)")

    def deparallelize(self) -> None:
        """Nothing to undo: the model is on one device."""

    def disable_input_require_grads(self) -> None:
        """Take away what enable_input_require_grads put in."""
        for hook in vars(self).pop("_input_hooks", []):
            hook.remove()

    def add_model_tags(self, tags: str | Sequence[str]) -> None:
        """Words for a model card, kept in `model_tags`."""
        new = [tags] if isinstance(tags, str) else list(tags)
        self.model_tags = [*getattr(self, "model_tags", []), *new]

    # --- sizes ----------------------------------------------------------------------------------------------

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Bytes of the parameters, and of the buffers unless left out."""
        held = [*self.parameters(), *(self.buffers() if return_buffers else ())]
        return sum(tensor.numel() * tensor.element_size() for tensor in held)

    def estimate_tokens(self, input_dict: Mapping[str, Any]) -> int:
        """How many numbers stand in the model's main input."""
        given = input_dict.get(getattr(self, "main_input_name", "input_ids"))
        return given.numel() if isinstance(given, Tensor) else 0

    def floating_point_ops(self, input_dict: Mapping[str, Any], exclude_embeddings: bool = True) -> int:
        """Six for each token and parameter (arXiv:2001.08361), forward and backward."""
        return 6 * self.estimate_tokens(input_dict) * self.num_parameters(exclude_embeddings=exclude_embeddings)


def _causal(given: Tensor, queries: int) -> Tensor | None:
    batch, keys = given.shape
    mask, _ = attention_mask(
        given, batch=batch, queries=queries, keys=keys, device=given.device, causal=True, materialise=True
    )
    return mask


def _prune(blocks: Sequence[Block], layer: int, heads: set[int], before: set[int]) -> None:
    """Take the rows of q, k, v and their like, and the columns of o, that belong to these heads."""
    block = next((block for block in blocks if block.index == layer), None)
    if block is None:
        raise ValueError(f"prune_heads: there is no layer {layer}; the model has {len(blocks)}, from 0")
    roles = block.roles()
    if not {"q", "k", "v", "o"} <= set(roles) or not all(isinstance(getattr(block, r), nn.Linear) for r in "qkvo"):
        raise ValueError(f"{type(block).__name__} has its queries, keys and values in one weight, and is not pruned")
    if block.k.out_features != block.q.out_features or block.head_norm_q is not None:
        raise ValueError(f"{type(block).__name__}: heads that share keys, or have norms of their own, are not pruned")
    size = block.head_size
    left = [head for head in range(block.q.out_features // size + len(before)) if head not in before]
    unknown = heads - set(left)
    if unknown:
        raise ValueError(f"prune_heads: layer {layer} has no heads {sorted(unknown)}; it has {left}")
    kept = [place * size + number for place, head in enumerate(left) if head not in heads for number in range(size)]
    rows = torch.tensor(kept, dtype=torch.long)
    for role in block.of_heads:
        setattr(block, role, _part(getattr(block, role), rows, 0))
    block.o = _part(block.o, rows, 1)


def _part(layer: nn.Linear, rows: Tensor, dim: int) -> nn.Linear:
    """A layer with these of the outputs (0) or inputs (1)."""
    rows = rows.to(layer.weight.device)
    weight = nn.Parameter(layer.weight.detach().index_select(dim, rows), requires_grad=layer.weight.requires_grad)
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None, device="meta")
    made.weight = weight
    if layer.bias is not None:
        bias = layer.bias.detach()
        made.bias = nn.Parameter(bias.clone() if dim else bias[rows], requires_grad=layer.bias.requires_grad)
    return made.train(layer.training)
