"""Tests and changes of the kinds of arrays, and of nested dictionaries."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from functools import cached_property as cached_property
from typing import Any

import numpy as np


def is_torch_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def is_numpy_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def is_tensor(value: Any) -> bool:
    return is_torch_tensor(value) or is_numpy_array(value)


def is_tf_tensor(value: Any) -> bool:
    return False


is_jax_tensor = is_mlx_array = is_tf_symbolic_tensor = is_tf_tensor


def is_torch_device(value: Any) -> bool:
    import torch

    return isinstance(value, torch.device)


def is_torch_dtype(value: Any) -> bool:
    import torch

    return isinstance(value if not isinstance(value, str) else getattr(torch, value, None), torch.dtype)


def to_py_obj(value: Any) -> Any:
    """Plain numbers and lists of whatever holds tensors or arrays."""
    if isinstance(value, Mapping):
        return {key: to_py_obj(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_py_obj(inner) for inner in value]
    return value.tolist() if is_tensor(value) or isinstance(value, np.number) else value


def to_numpy(value: Any) -> Any:
    """Arrays of whatever holds tensors or lists."""
    if isinstance(value, Mapping):
        return {key: to_numpy(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return np.array(value)
    return value.detach().cpu().numpy() if is_torch_tensor(value) else value


def flatten_dict(nested: MutableMapping[str, Any], parent_key: str = "", delimiter: str = ".") -> dict[str, Any]:
    """{"a": {"b": 1}} -> {"a.b": 1}"""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{parent_key}{delimiter}{key}" if parent_key else str(key)
        flat.update(
            flatten_dict(value, name, delimiter) if value and isinstance(value, MutableMapping) else {name: value}
        )
    return flat


def find_labels(model_class: type) -> list[str]:
    """The arguments of a model's forward that are labels."""
    from ..training.columns import label_names

    return label_names(model_class)


def can_return_loss(model_class: type) -> bool:
    asked = inspect.signature(model_class.forward).parameters.get("return_loss")  # type: ignore[attr-defined]
    return asked is not None and asked.default is True


def strtobool(value: str) -> int:
    """1 for yes, true, on…; 0 for no, false, off…; anything else is a ValueError."""
    word = value.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return 1
    if word in ("n", "no", "f", "false", "off", "0"):
        return 0
    raise ValueError(f"{value!r} is neither yes nor no")


class ContextManagers:
    """Several context managers as one."""

    def __init__(self, context_managers: list[Any]) -> None:
        self.context_managers = context_managers
        self.stack = ExitStack()

    def __enter__(self) -> None:
        for manager in self.context_managers:
            self.stack.enter_context(manager)

    def __exit__(self, *error: Any) -> None:
        self.stack.__exit__(*error)
