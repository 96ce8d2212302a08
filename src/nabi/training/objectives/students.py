"""A smaller model out of a trained one, by leaving out layers (DistilBERT, arXiv:1910.01108)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import nn


def student_of(teacher: Any, layers: int | Sequence[int] | None = None) -> Any:
    """A model of the teacher's class with some of its layers, and copies of all other weights.

    layers: which layers, by number from 0; or how many, evenly spaced; None: every other one, beginning with the
    first. Same dtype, device and mode as the teacher. ValueError for layers that are not there, and for families
    whose layers are not one plain stack (encoder-decoders, shared layers) or differ by their place in it.
    """
    body, config = teacher.base_model, copy.deepcopy(teacher.config)
    blocks = getattr(body, "blocks", None)
    if not isinstance(blocks, nn.ModuleList) or len(blocks) != config.num_hidden_layers:
        raise ValueError(
            f"{type(teacher).__name__} has no plain stack of layers to choose from; student_of takes encoders like "
            "BERT and decoders like GPT-2"
        )
    chosen = chosen_layers(layers, len(blocks))
    config.num_hidden_layers = len(chosen)
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[number] for number in chosen]
    student = type(teacher)(config).to(device=teacher.device, dtype=teacher.dtype)
    for block, number in zip(student.base_model.blocks, chosen, strict=True):
        if (block.window, block.scale) != (blocks[number].window, blocks[number].scale):
            raise ValueError(
                f"layer {number} of {type(teacher).__name__} works as it does by its place in the stack, so it cannot "
                "be moved: choose layers that keep their place"
            )
    place = next(name for name, module in teacher.named_modules() if module is blocks) + "."
    renumbered = {str(number): str(index) for index, number in enumerate(chosen)}
    weights = {}
    for name, tensor in teacher.state_dict().items():
        number, _, rest = name.removeprefix(place).partition(".")
        if not name.startswith(place):
            weights[name] = tensor
        elif number in renumbered:
            weights[f"{place}{renumbered[number]}.{rest}"] = tensor
    student.load_state_dict(weights)
    if hasattr(teacher, "generation_config"):
        student.generation_config = copy.deepcopy(teacher.generation_config)
    return student.train(teacher.training)


def chosen_layers(layers: int | Sequence[int] | None, count: int) -> list[int]:
    if isinstance(layers, int):
        if not 1 <= layers <= count:
            raise ValueError(f"layers is {layers}, but the teacher has {count} layers: give 1 to {count}")
        return [index * count // layers for index in range(layers)]
    chosen = list(range(0, count, 2)) if layers is None else list(layers)
    wrong = [number for number in chosen if number not in range(count)]
    if wrong or not chosen:
        raise ValueError(
            f"layers is {chosen}, but the teacher has {count} layers: name at least one, by numbers from 0 "
            f"to {count - 1}"
        )
    return chosen
