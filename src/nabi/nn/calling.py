"""A model may be called by its `forward` too, as adapters and hooks do: that takes return_dict as a call does."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..outputs import ModelOutput


def with_return_dict(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The same forward; with return_dict=False it gives the output's fields as a tuple. One that takes the argument
    itself is left as it is."""
    if "return_dict" in inspect.signature(forward).parameters:
        return forward

    @functools.wraps(forward)
    def answered(self: Any, *args: Any, return_dict: bool | None = None, **inputs: Any) -> Any:
        output = forward(self, *args, **inputs)
        return output.to_tuple() if return_dict is False and isinstance(output, ModelOutput) else output

    return answered
