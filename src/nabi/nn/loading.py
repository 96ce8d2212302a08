"""Putting the tensors of a checkpoint into a model that has no memory yet."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from typing_extensions import Self

    from .pretrained import PreTrainedModel

logger = logging.getLogger(__name__)


class WrongShapes(ValueError, RuntimeError):
    """Weights in a checkpoint have other shapes than in the model. Code for transformers catches RuntimeError."""


class NoFills(TorchFunctionMode):
    """Inside, random fills of meta tensors are skipped: they do nothing, but torch loads its compiler to do it."""

    _FILLS = (Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self._FILLS:
            filled = args[0] if args else kwargs["tensor"]
            if filled.is_meta:
                return filled
        return func(*args, **kwargs)


class Unmade(NoFills):
    """Inside, modules are made with weights on the meta device: shapes without memory, and no random fills.

    Buffers, and tensors that a user's own class keeps as plain attributes, are made as ever: no file has them.
    """

    def __enter__(self) -> Self:
        self._unhook = register_module_parameter_registration_hook(_without_memory)  # type: ignore[arg-type]
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._unhook.remove()


def _without_memory(module: nn.Module, name: str, weight: nn.Parameter | None) -> nn.Parameter | None:
    if weight is None or weight.is_meta:
        return weight
    return nn.Parameter(weight.detach().to("meta"), requires_grad=weight.requires_grad)


@dataclass
class LoadingInfo:
    """What did not fit. missing: newly initialised; unexpected: on disk only; mismatched: (name, disk, model)."""

    missing_keys: list[str] = field(default_factory=list)
    unexpected_keys: list[str] = field(default_factory=list)
    mismatched_keys: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    error_msgs: list[str] = field(default_factory=list)


def load_into(
    model: PreTrainedModel,
    weights: Mapping[str, Tensor],
    *,
    source: str,
    dtype: torch.dtype | None,
    ignore_mismatched_sizes: bool = False,
) -> LoadingInfo:
    """Assign the weights to a model on the meta device, initialise what is missing, and tie.

    dtype: of floating-point weights; None keeps each as stored. Nothing is copied unless its dtype changes.
    Raises ValueError if shapes differ, or if no weight at all belongs to the model.
    """
    info = LoadingInfo()
    expected = model.state_dict()
    found: dict[str, Tensor] = {}
    for stored in weights:
        name = name_in_model(model, stored, expected)
        if name is None:
            if not any(re.search(pattern, stored) for pattern in model.ignored_on_disk):
                info.unexpected_keys.append(stored)
            continue
        tensor = weights[stored]
        if tensor.shape != expected[name].shape:
            info.mismatched_keys.append((name, tuple(tensor.shape), tuple(expected[name].shape)))
        else:
            found[name] = tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor
    if not found and expected:
        raise ValueError(
            f"no weight in {source} belongs to {type(model).__name__}: its names begin like "
            f"{', '.join(list(weights)[:3])}, the model's like {', '.join(list(expected)[:3])}; check the model class"
        )
    if info.mismatched_keys and not ignore_mismatched_sizes:
        raise WrongShapes(_mismatch(model, info, source))
    _share_tied(model, found)
    model.load_state_dict(found, assign=True, strict=False)
    missing = {name for name, tensor in model.state_dict().items() if tensor.is_meta}
    _initialise(model, dtype or torch.get_default_dtype())
    model.tie_weights()
    explained = {*model.tied_weights(), *model.unstored_weights(), *(name for name, _, _ in info.mismatched_keys)}
    info.missing_keys = sorted(missing - explained)
    _report(model, info, source)
    return info


def name_in_model(model: PreTrainedModel, stored: str, expected: Mapping[str, Tensor]) -> str | None:
    """The model's name for a name on disk: legacy spellings renewed, the family's prefix added or dropped."""
    for pattern, renewed in model.renames:
        stored = re.sub(pattern, renewed, stored)
    prefix = f"{model.base_model_prefix}."
    for name in (stored, prefix + stored, stored.removeprefix(prefix)):
        if name in expected:
            return name
    return None


def _share_tied(model: PreTrainedModel, found: dict[str, Tensor]) -> None:
    """Tied weights are one tensor under two names; a file may hold either. Where it holds two, they are not tied."""
    for alias, origin in model.tied_weights().items():
        if alias in found and origin in found and not torch.equal(found[alias], found[origin]):
            logger.warning(
                "the config ties %s to %s, but the checkpoint holds two different ones: both are kept, untied",
                alias,
                origin,
            )
            parts: list[Any] = [part for part in model.modules() if getattr(part, "tied_weights", dict)()]
            for part in parts:  # a model inside has a config of its own
                part.config.tie_word_embeddings = False
            return
    for alias, origin in model.tied_weights().items():
        if origin not in found and alias in found:
            found[origin] = found[alias]
        if origin in found:
            found[alias] = found[origin]


def _initialise(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Give memory and initial values to the weights that no file had; leave those that were loaded alone.

    A family may initialise a weight by the module around it, so all modules are gone through, inner ones first. The
    loaded weights are out of the model meanwhile, in their places meta tensors, which take no values.
    """
    stores: list[dict[str, Any]] = [store for m in model.modules() for store in (m._parameters, m._buffers)]
    slots = [(store, name, tensor) for store in stores for name, tensor in store.items() if tensor is not None]
    if not any(tensor.is_meta for _, _, tensor in slots):
        return
    for store, name, tensor in slots:
        kept = dtype if tensor.is_floating_point() else tensor.dtype
        blank = torch.zeros(tensor.shape, dtype=kept, device="cpu" if tensor.is_meta else "meta")
        learned = isinstance(tensor, nn.Parameter)
        store[name] = nn.Parameter(blank, requires_grad=tensor.requires_grad) if learned else blank
    with torch.no_grad(), NoFills():
        for module in reversed(list(model.modules())):
            model._init_weights(module)
    for store, name, tensor in slots:
        if not tensor.is_meta:
            store[name] = tensor


def _mismatch(model: PreTrainedModel, info: LoadingInfo, source: str) -> str:
    lines = [f"  {name}: {disk} in the checkpoint, {here} in the model" for name, disk, here in info.mismatched_keys]
    return (
        f"{len(lines)} weights of {source} do not have the shape that {type(model).__name__} and its config ask for:\n"
        + "\n".join(lines[:10])
        + ("\n  …" if len(lines) > 10 else "")
        + "\nUse the config that belongs to these weights, or pass ignore_mismatched_sizes=True to start them anew."
    )


def _report(model: PreTrainedModel, info: LoadingInfo, source: str) -> None:
    fresh = info.missing_keys + [name for name, _, _ in info.mismatched_keys]
    if fresh:
        logger.warning(
            "%s of %s: these weights are not in %s and were newly initialised: %s. Train the model on your task "
            "before you use its predictions.",
            "Some weights" if len(fresh) < len(model.state_dict()) else "All weights",
            type(model).__name__,
            source,
            ", ".join(fresh),
        )
    if info.unexpected_keys:
        inside = [name for name in info.unexpected_keys if name.startswith(f"{model.base_model_prefix}.")]
        logger.log(
            logging.WARNING if inside else logging.INFO,
            "%s holds weights that %s does not use: %s",
            source,
            type(model).__name__,
            ", ".join(inside or info.unexpected_keys),
        )
