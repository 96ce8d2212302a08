"""Decorators that put documentation together, and those that mark old arguments; they change no behaviour."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any


def add_start_docstrings(*texts: str) -> Callable[[Any], Any]:
    """Put these texts before the documentation of a class or function."""
    return lambda owner: _documented(owner, "".join(texts) + (owner.__doc__ or ""))


def add_end_docstrings(*texts: str) -> Callable[[Any], Any]:
    return lambda owner: _documented(owner, (owner.__doc__ or "") + "".join(texts))


add_start_docstrings_to_model_forward = add_start_docstrings


def add_code_sample_docstrings(*_: Any, **__: Any) -> Callable[[Any], Any]:
    return lambda owner: owner


replace_return_docstrings = deprecate_kwarg = filter_out_non_signature_kwargs = add_code_sample_docstrings


def auto_docstring(owner: Any = None, **_: Any) -> Any:
    """A decorator with or without arguments."""
    return (lambda function: function) if owner is None else owner


can_return_tuple = check_model_inputs = auto_docstring


def _documented(owner: Any, text: str) -> Any:
    owner.__doc__ = text
    return owner


def copy_func(function: types.FunctionType) -> types.FunctionType:
    """A function of its own with the same code, so that its documentation can be changed."""
    copied = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copied = functools.update_wrapper(copied, function)  # type: ignore[assignment]
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied
