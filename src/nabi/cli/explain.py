"""`nabi explain bert`: how a family is built - wiring, roles, names on disk, shapes - on one screen."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from .messages import say
from .run import Problem


def explain(family: str) -> None:
    """Print the plan of a family, of its default configuration; a Problem for an unknown family."""
    from ..models import CAUSAL_LM, FAMILIES, find_class
    from ..nn.block import Block
    from ..nn.loading import Unmade

    module_name = family.lower().replace("-", "_")
    if module_name not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise Problem(say("unknown_family", name=family, known=known), 2)
    module = importlib.import_module(f"nabi.models.{module_name}")
    with Unmade():
        model = find_class(module_name, "Model", *CAUSAL_LM)(find_class(module_name, "Config")())
    print(inspect.getdoc(module), end="\n\n")
    inside: list[str] = []
    for path, blocks in stacks(model, Block):
        inside.append(path)
        first = blocks[0]
        print(f"{len(blocks)} x {type(first).__name__}  {say('at')} {path}.0 …")
        for part in ("wiring", "project", "feed"):
            print(f"  {part:<10} {getattr(type(first), part).__qualname__}")
        for role, name in type(first).roles().items():
            child = getattr(first, role)
            if child is not None:
                print(f"  {role:<10} {name:<44} {shape(child)}")
        print()
    print(say("around"))
    for name, parameter in model.named_parameters():
        if not any(name.startswith(f"{path}.") for path in inside):
            print(f"  {name:<55} {tuple(parameter.shape)}")
    classes = ", ".join(FAMILIES[module_name])
    print(f"\n{say('parameters', count=f'{model.num_parameters():,}')}\n{say('classes', names=classes)}")
    print(say("read_on", file=inspect.getsourcefile(module)))


def stacks(model: Any, block: type) -> Iterator[tuple[str, Any]]:
    """Every list of blocks in the model, with its name."""
    for name, module in model.named_modules():
        children = list(module.children())
        if children and all(isinstance(child, block) for child in children):
            yield name, children


def shape(child: Any) -> str:
    """A module's class and the shape of its weight, or of each of its parameters; or of a parameter."""
    from torch import Tensor

    weight = child if isinstance(child, Tensor) else getattr(child, "weight", None)
    if weight is not None:
        return f"{type(child).__name__} {tuple(weight.shape)}"
    shapes = (f"{name} {tuple(parameter.shape)}" for name, parameter in child.named_parameters())
    return f"{type(child).__name__} {', '.join(shapes)}"
