"""`nabi explain`: what a family or a checkpoint is - wiring, roles, names on disk, shapes, sizes - on one screen.

Everything comes from config.json (or a family's defaults): no weight is read, and none is made.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Iterator
from typing import Any

from .messages import say
from .run import Problem

BYTES = {"float32": 4, "float16 and bfloat16": 2, "int8": 1}


def explain(name: str, tree: bool = False) -> None:
    """Print the plan of a family's default configuration, or of the model in a folder or a Hub repository.

    `tree` prints every module instead. Raises Problem for a name that is none of these.
    """
    from ..models import FAMILIES
    from ..nn.loading import Unmade

    module_name = name.lower().replace("-", "_")
    is_family = module_name in FAMILIES and not os.path.isdir(name)
    model_class, config = of_family(module_name) if is_family else of_checkpoint(name)
    with Unmade():
        model = model_class(config)
    print(inspect.getdoc(importlib.import_module(model_class.__module__)), end="\n\n")
    if tree:
        print_tree(model)
    else:
        print_plan(model)
    print_sizes(model)
    if not is_family:
        print_tokenizer(name)
        return
    print(say("classes", names=", ".join(FAMILIES[module_name])))
    print(say("read_on", file=inspect.getsourcefile(model_class)))


def of_family(module_name: str) -> tuple[Any, Any]:
    """The body of a family and its default configuration."""
    from ..auto import find_class

    return find_class(module_name, "Model"), find_class(module_name, "Config")()


def of_checkpoint(name: str) -> tuple[Any, Any]:
    """The class that config.json names, or the body, and the configuration."""
    from ..auto import AutoConfig, AutoModel, family_of
    from ..models import FAMILIES

    try:
        config = AutoConfig.from_pretrained(name)
    except OSError as error:
        if os.path.isdir(name) or "/" in name:
            raise
        known = ", ".join(sorted(FAMILIES))
        raise Problem(say("unknown_family", name=name, known=known), 2) from error
    written = (config.architectures or [""])[0]
    module_name = family_of(config.model_type)
    if written in FAMILIES[module_name]:
        return getattr(importlib.import_module(f"nabi.models.{module_name}"), written), config
    return AutoModel.of(type(config)), config


# --- the plan ---------------------------------------------------------------------------------------------------------


def print_plan(model: Any) -> None:
    """Each stack by its first block, then what stands around the stacks."""
    from ..nn.block import Block

    inside: list[str] = []
    for path, blocks in stacks(model, Block):
        inside.append(f"{path}.")
        for first, count in unlike(blocks):
            print(f"{count} x {type(first).__name__}  {say('at')} {path}.{first.index} …")
            print_block(first)
    rest = [item for item in model.named_parameters() if not item[0].startswith(tuple(inside))]
    if not rest:
        return
    print(say("around"))
    for name, shape, count in folded(rest):
        print(f"  {name:<55} {shape}{f'  x {count}' if count > 1 else ''}")


def print_block(block: Any) -> None:
    from ..nn.block import Block

    for part in ("wiring", "project", "place", "mix", "feed"):
        chosen = getattr(type(block), part)
        if part in ("wiring", "feed") or chosen is not getattr(Block, part):  # the usual goes without saying
            print(f"  {part:<13} {chosen.__qualname__}")
    for role, name in type(block).roles().items():
        child = getattr(block, role)
        if child is not None:
            print(f"  {role:<13} {name:<41} {shape_of(child)}")
    print()


def stacks(model: Any, block: type) -> Iterator[tuple[str, Any]]:
    """Every list of blocks in the model, with its name."""
    for name, module in model.named_modules():
        children = list(module.children())
        if children and all(isinstance(child, block) for child in children):
            yield name, children


def unlike(blocks: Any) -> list[tuple[Any, int]]:
    """The first of each kind of block in a stack, and how many there are: by class and shapes."""
    kinds: dict[Any, list[Any]] = {}
    for block in blocks:
        shapes = tuple((name, tuple(p.shape)) for name, p in block.named_parameters())
        kinds.setdefault((type(block), shapes), []).append(block)
    return [(found[0], len(found)) for found in kinds.values()]


def shape_of(child: Any) -> str:
    """A module's class and the shape of its weight, or of each of its parameters; of a bare parameter the shape."""
    if not hasattr(child, "named_parameters"):
        return f"{tuple(child.shape)}"
    weight = getattr(child, "weight", None)
    if weight is not None:
        return f"{type(child).__name__} {tuple(weight.shape)}"
    shapes = (f"{name} {tuple(parameter.shape)}" for name, parameter in child.named_parameters())
    return f"{type(child).__name__} {', '.join(shapes)}"


def folded(parameters: Any) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Name, shape, count: names that differ in their numbers only, with one shape, become one line."""
    found: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for name, parameter in parameters:
        found.setdefault((re.sub(r"\.\d+(?=\.)", ".*", name), tuple(parameter.shape)), []).append(name)
    for (pattern, shape), names in found.items():
        yield pattern if len(names) > 1 else names[0], shape, len(names)


def print_tree(model: Any) -> None:
    """Every module, indented by its depth, with its class, the shapes of its own parameters and their count."""
    for name, module in model.named_modules():
        depth = name.count(".") + 1 if name else 0
        own = [f"{key} {tuple(parameter.shape)}" for key, parameter in module.named_parameters(recurse=False)]
        label = name.rpartition(".")[2] or type(model).__name__
        print(f"{'  ' * depth}{label}  {type(module).__name__ if name else ''}  {', '.join(own)}".rstrip())
    print()


# --- sizes, positions, tokenizer --------------------------------------------------------------------------------------


def print_sizes(model: Any) -> None:
    """Parameters by part, memory by dtype, and how long a text may be."""
    total = model.num_parameters()
    print(f"\n{say('parameters', count=f'{total:,}')}")
    for part, count in parts_of(model).items():
        print(f"  {part:<55} {count:>15,}  {count / total:6.1%}")
    print(say("memory", sizes="; ".join(f"{dtype} {readable(total * size)}" for dtype, size in BYTES.items())))
    for line in positions_of(model):
        print(line)


def parts_of(model: Any) -> dict[str, int]:
    """Parameters by the stack that they are in, else by the first two rooms of their names; tied ones once."""
    from ..nn.block import Block

    paths = {path: f"{path}.* ({len(blocks)} x {type(blocks[0]).__name__})" for path, blocks in stacks(model, Block)}
    parts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        stack = next((path for path in paths if name.startswith(f"{path}.")), None)
        prefix = f"{model.base_model_prefix}." if name.startswith(f"{model.base_model_prefix}.") else ""
        rooms = name.removeprefix(prefix).split(".")[:-1]
        part = paths[stack] if stack else prefix + ".".join(rooms[:2]) or name
        parts[part] = parts.get(part, 0) + parameter.numel()
    return parts


def positions_of(model: Any) -> Iterator[str]:
    from ..nn.block import Block

    config = model.config
    length = getattr(config, "max_position_embeddings", None)
    if length is not None and model.main_input_name == "input_ids":
        yield say("context", length=f"{length:,}")
    if hasattr(config, "rotary_size"):
        rope = config.rope()
        yield say("rotary", kind=rope["rope_type"], theta=f"{rope['rope_theta']:,.0f}", size=config.rotary_size)
    blocks = [block for _, found in stacks(model, Block) for block in found]
    windows = {block.window for block in blocks if block.window is not None}
    for window in sorted(windows):
        count = sum(block.window == window for block in blocks)
        yield say("window", count=count, total=len(blocks), window=f"{window:,}")


def readable(size: float) -> str:
    """1536 -> 1.5 kB; powers of 1000, as disks and memory are advertised."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError


def print_tokenizer(name: str) -> None:
    from ..tokenization import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError):
        print(say("no_tokenizer"))
        return
    kind = type(tokenizer.backend_tokenizer.model).__name__
    special = ", ".join(tokenizer.all_special_tokens)
    print(say("tokenizer", name=type(tokenizer).__name__, kind=kind, count=f"{len(tokenizer):,}", special=special))
