"""What a collator of one's own subclasses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NewType

from ..training.collators import default_data_collator

InputDataClass = NewType("InputDataClass", Any)  # type: ignore[valid-newtype]
DataCollator = NewType("DataCollator", Callable[[list[Any]], dict[str, Any]])  # type: ignore[valid-newtype]
torch_default_data_collator = default_data_collator


class DataCollatorMixin:
    """Calls `torch_call(features)`."""

    return_tensors = "pt"

    def __call__(self, features: list[Any], return_tensors: str | None = None) -> Any:
        kind = return_tensors or self.return_tensors
        if kind not in ("pt", "np"):
            raise ValueError(f"return_tensors is {kind!r}; nabi collates 'pt' and 'np'")
        return self.torch_call(features) if kind == "pt" else self.numpy_call(features)  # type: ignore[attr-defined]
