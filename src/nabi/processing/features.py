"""BatchFeature: what processors return. A dict of arrays or tensors, with attributes and `.to(device, dtype)`."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import numpy as np

from ..tokenization.tensors import as_tensor, kind_of, tensor_kind


class BatchFeature(UserDict):
    """Keys such as `pixel_values` and `input_features`, read as `batch["pixel_values"]` or `batch.pixel_values`.

    `tensor_type`: "pt", "np" or None (values stay as they are). Strings and dicts are never made into tensors.
    """

    def __init__(self, data: dict[str, Any] | None = None, tensor_type: Any = None) -> None:
        self.data = dict(data) if data else {}
        self.convert_to_tensors(tensor_type)

    def __getitem__(self, item: str) -> Any:
        if not isinstance(item, str):
            raise KeyError(f"{item!r}: a BatchFeature is read by key, and it has {sorted(self.data)}.")
        return self.data[item]

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("data", {})  # while unpickling there is none yet
        if name in data:
            return data[name]
        raise AttributeError(f"BatchFeature has no attribute and no key {name!r}; its keys are {sorted(data)}.")

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state["data"]

    def convert_to_tensors(self, tensor_type: Any = None) -> BatchFeature:
        """Turn every value of numbers into a tensor in place, and return self. Raises ValueError on unlike shapes."""
        kind = tensor_kind(tensor_type)
        if kind is not None:
            self.data = {key: _converted(key, value, kind) for key, value in self.data.items()}
        return self

    def to(self, *args: Any, **kwargs: Any) -> BatchFeature:
        """Move the tensors to a device, and cast those of floating point if a dtype is given; returns self.

        Takes what `torch.Tensor.to` takes. Ids and masks are moved, never cast.
        """
        import torch

        device = kwargs.get("device")
        for argument in args:
            if isinstance(argument, (str, int, torch.device)) and not isinstance(argument, bool):
                device = argument
            elif not isinstance(argument, (torch.dtype, bool, torch.Tensor)):
                raise ValueError(f"BatchFeature.to({argument!r}): give a device, as 'cuda', or a torch.dtype.")

        def moved(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                if value.is_floating_point():
                    return value.to(*args, **kwargs)
                non_blocking = bool(kwargs.get("non_blocking"))
                return value if device is None else value.to(device=device, non_blocking=non_blocking)
            if isinstance(value, BatchFeature):
                return value.to(*args, **kwargs)
            return type(value)(map(moved, value)) if type(value) in (list, tuple) else value

        self.data = {key: moved(value) for key, value in self.data.items()}
        return self


def _converted(key: str, value: Any, kind: str) -> Any:
    if not _holds_numbers(value):
        return value
    shapes = sorted({tuple(getattr(item, "shape", ())) for item in value}) if isinstance(value, (list, tuple)) else []
    if len(shapes) > 1:
        shown = " and ".join(map(str, shapes[:3])) + (" …" if len(shapes) > 3 else "")
        raise ValueError(
            f"{key!r} has items of shapes {shown}, which no tensor can hold: make them alike (images: do_resize=True "
            "or do_pad=True; sound: padding=True), or leave return_tensors out to get a list."
        )
    made = as_tensor(key, value, kind)
    if isinstance(value, np.ndarray) and value.size == 0:  # no boxes are of the boxes' dtype, and no whole numbers
        return as_tensor(key, np.zeros((1, *value.shape[1:]), value.dtype), kind)[:0] if value.ndim else made
    return made


def _holds_numbers(value: Any) -> bool:
    """Whether a value is an array, a number, or a list of them, however deep. Texts and dicts are not."""
    while isinstance(value, (list, tuple)) and len(value) > 0:
        value = value[0]
    return isinstance(value, (bool, int, float, list, tuple, np.ndarray)) or kind_of(value) is not None
