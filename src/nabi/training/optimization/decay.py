"""Parameter groups for an optimizer: which weights decay, and which layers learn slowly."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

# Biases and norms do not decay. These patterns and nn.LayerNorm are what transformers goes by, so that the groups of
# its optimizer.pt fit ours.
NO_DECAY = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")
LAYER = re.compile(r"^(.*?)\.?(?:layers?|h|blocks?)\.(\d+)\.")


def decaying_names(model: nn.Module) -> set[str]:
    """The names of the parameters that weight decay is for: all but biases and those of norms."""
    of_norms = {
        f"{prefix}.{name}".removeprefix(".")
        for prefix, module in model.named_modules()
        if isinstance(module, nn.LayerNorm)
        for name in module._parameters
    }
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    return {name for name in names if name not in of_norms and not NO_DECAY.search(name.lower())}


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups of the parameters that learn: those that decay by weight_decay, and those that do not."""
    decaying = decaying_names(model)
    learning = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    return [
        {"params": [one for name, one in learning if name in decaying], "weight_decay": weight_decay},
        {"params": [one for name, one in learning if name not in decaying], "weight_decay": 0.0},
    ]


def layerwise_groups(model: nn.Module, lr: float, decay: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
    """Groups whose learning rate falls by the factor `decay` per layer, from the head down to the embeddings.

    What stands after the last layer learns at lr, the last layer at lr * decay, … the embeddings slowest of all
    (arXiv:1801.06146, and as ELECTRA is fine-tuned, arXiv:2003.10555). An encoder and a decoder are counted each for
    itself. Give the groups to an optimizer: Trainer(optimizers=(AdamW(layerwise_groups(model, 2e-5, 0.9)), None)).
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay is the factor per layer, above 0 and at most 1, not {decay}")
    learning = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    places = {name: found.groups() for name, _ in learning if (found := LAYER.match(name))}
    if not places:
        raise ValueError(f"{type(model).__name__} has no numbered layers, so it has no layerwise learning rates")
    last = {
        stack: max(int(number) for where, number in places.values() if where == stack) for stack, _ in places.values()
    }
    deepest = max(last.values()) + 2
    decaying = decaying_names(model)
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    seen_a_layer = False
    for name, one in learning:
        if name in places:
            stack, number = places[name]
            below_the_head, seen_a_layer = last[stack] - int(number) + 1, True
        else:
            below_the_head = 0 if seen_a_layer and "embed" not in name else deepest
        decays = name in decaying
        group = {"params": [], "lr": lr * decay**below_the_head, "weight_decay": weight_decay if decays else 0.0}
        groups.setdefault((below_the_head, decays), group)["params"].append(one)
    return list(groups.values())
