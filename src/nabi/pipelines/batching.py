"""Single items to one batch and back: tensors are padded and joined, outputs taken apart, all of them moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

KEPT = "kept"  # what goes past the model, from preprocess to postprocess
ALIKE = "alike"  # what must be equal for parts to run together; `_forward` gets it as it is


def batches(parts: dict[Any, dict[str, Any]], width: int) -> Iterator[list[Any]]:
    """The keys of parts that run together, at most `width`: of like inputs and shapes, the longest first."""
    alike: dict[Any, list[Any]] = {}
    for key, part in parts.items():
        alike.setdefault(kind_of(part), []).append(key)
    for keys in alike.values():
        keys.sort(key=lambda key: item_length(parts[key]), reverse=True)
        yield from (keys[start : start + width] for start in range(0, len(keys), width))


def kind_of(part: dict[str, Any]) -> Any:
    """What must be equal for two parts to be joined: the names, and but for texts the shapes too."""
    return tuple(
        (name, tuple(value.shape[2 if value.dim() < 3 and "input_features" not in name else 1 :]))
        if isinstance(value, Tensor)
        else (name, repr(value) if name == ALIKE else None)
        for name, value in sorted(part.items())
        if name != KEPT
    )


def item_length(model_inputs: dict[str, Any]) -> int:
    """How long one item is, as far as padding is concerned."""
    ids = model_inputs.get("input_ids", model_inputs.get("input_values"))
    return ids.shape[-1] if isinstance(ids, Tensor) else 0


def join(parts: list[Any], filling: float, left: bool) -> Any:
    """Tensors (1, length, …) -> (batch, longest, …); what is no tensor becomes a list."""
    if not isinstance(parts[0], Tensor):
        return parts
    if parts[0].dim() < 2 or len({part.shape[1:] for part in parts}) == 1:
        return torch.cat(parts)
    longest = max(part.shape[1] for part in parts)
    joined = parts[0].new_full((len(parts), longest, *parts[0].shape[2:]), filling)
    for row, part in zip(joined, parts, strict=True):
        length = part.shape[1]
        (row[longest - length :] if left else row[:length]).copy_(part[0])
    return joined


def row_of(outputs: Any, i: int) -> Any:
    """The part of a batch's outputs that belongs to item i, its batch dimension kept."""
    if isinstance(outputs, Tensor):
        return outputs[i : i + 1] if outputs.dim() else outputs
    if isinstance(outputs, Mapping):
        return type(outputs)({name: row_of(value, i) for name, value in outputs.items()})  # type: ignore[call-arg]
    if isinstance(outputs, (list, tuple)):
        return type(outputs)(row_of(value, i) for value in outputs)
    return outputs


def move(values: Any, device: torch.device) -> Any:
    """Every tensor inside, on this device."""
    if isinstance(values, Tensor):
        return values.to(device)
    if isinstance(values, Mapping):
        return type(values)({name: move(value, device) for name, value in values.items()})  # type: ignore[call-arg]
    if isinstance(values, (list, tuple)):
        return type(values)(move(value, device) for value in values)
    return values
