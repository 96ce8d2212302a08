"""Methods of version 4 that pipelines of people's own, and wrappers around pipelines, call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from .batching import move


class OlderMethods:
    """What Pipeline has for them."""

    model: Any
    device: torch.device

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **settings: Any) -> Any: ...

    def predict(self, X: Any) -> Any:
        """A call, under scikit-learn's name."""
        return self(X)

    def transform(self, X: Any) -> Any:
        return self(X)

    def iterate(self, inputs: Iterable[Any], *settings: dict[str, Any]) -> Iterator[Any]:
        """Results one by one; settings: of preprocess, _forward and postprocess, as _sanitize_parameters gives them."""
        return (self.run_multi([item], *settings)[0] for item in inputs)

    def run_multi(self, inputs: Iterable[Any], *settings: dict[str, Any]) -> list[Any]:
        steps = (*settings, {}, {}, {})[:3]
        return [self.run_single(item, *steps) for item in inputs]  # type: ignore[attr-defined]

    @contextmanager
    def device_placement(self) -> Iterator[None]:
        """Inside, new tensors stand on the pipeline's device."""
        with torch.device(self.device):
            yield

    def ensure_tensor_on_device(self, **inputs: Any) -> dict[str, Any]:
        return move(inputs, self.device)

    def check_model_type(self, supported_models: Any) -> None:
        """ValueError unless the model's class is one of them: names, classes, or a mapping to either."""
        found = supported_models.values() if hasattr(supported_models, "values") else supported_models
        names = {name if isinstance(name, str) else name.__name__ for name in _flat(found)}
        if type(self.model).__name__ not in names:
            raise ValueError(f"{type(self.model).__name__} is none of the models for this: {', '.join(sorted(names))}")


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, (list, tuple)) else (value,)
