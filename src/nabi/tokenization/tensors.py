"""Lists of numbers -> one rectangular tensor, or an error that says which rows do not fit."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

# Kinds that are made through NumPy -> the module and the function that makes a tensor of an array.
_BY_NUMPY = {"tf": ("tensorflow", "convert_to_tensor"), "jax": ("jax.numpy", "asarray")}
# Package of a tensor's class -> its kind.
_PACKAGES = {"torch": "pt", "tensorflow": "tf", "jax": "jax", "jaxlib": "jax"}


def tensor_kind(return_tensors: Any) -> str | None:
    """ "pt", "np", "tf", "jax" or None from what a caller passes as `return_tensors` (an enum of such a string too).

    Raises ValueError for another word, ImportError if the framework is not installed.
    """
    kind = getattr(return_tensors, "value", return_tensors)
    if kind is None or kind in ("pt", "np"):
        return kind
    if kind not in _BY_NUMPY:
        raise ValueError(
            f"return_tensors={kind!r} is not supported: use 'pt' (PyTorch), 'np' (NumPy), 'tf' (TensorFlow), 'jax' or "
            "None (lists)."
        )
    package = _BY_NUMPY[kind][0].partition(".")[0]
    if package not in sys.modules and find_spec(package) is None:
        raise ImportError(
            f"return_tensors={kind!r} needs {package}, which is not installed: pip install {package}, or use 'pt' "
            "(PyTorch) or 'np' (NumPy)."
        )
    return kind


def kind_of(value: Any) -> str | None:
    """The kind of a tensor, "np" for a NumPy array or number too, None for anything else; imports no framework."""
    if isinstance(value, (np.ndarray, np.generic)):
        return "np"
    if isinstance(value, (list, tuple, int)) or not (hasattr(value, "tolist") or hasattr(value, "numpy")):
        return None
    return _PACKAGES.get(type(value).__module__.partition(".")[0])


def to_list(value: Any) -> Any:
    """Tensors and arrays, alone or inside lists, as plain Python lists and numbers."""
    kind = kind_of(value)
    if kind is not None:
        return value.numpy().tolist() if kind == "tf" else value.tolist()
    if isinstance(value, (list, tuple)) and value and (kind_of(value[0]) or isinstance(value[0], (list, tuple))):
        return [to_list(item) for item in value]
    return value


def as_tensor(name: str, value: Any, kind: str) -> Any:
    """`value` as a tensor of this kind. Raises ValueError, naming `name`, if its rows are ragged or no numbers."""
    if kind == "pt":
        return _torch(name, value)
    array = _numpy(name, value)
    if kind == "np":
        return array
    module, function = _BY_NUMPY[kind]
    return getattr(import_module(module), function)(array)


def _torch(name: str, value: Any) -> Any:
    import torch

    if isinstance(value, list) and value and type(value[0]) is list:  # rows of ids, as the tokenizer makes them
        array = _numpy(name, value)
        if array.dtype == np.int64:
            return torch.from_numpy(array)
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], torch.Tensor):
        if len({row.shape for row in value}) > 1:
            raise _ragged(name, [tuple(row.shape) for row in value])
        return torch.stack(list(value))
    array = _numpy(name, value)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name!r} holds no numbers ({array.dtype}), so it cannot be a torch tensor: take it out first."
        )
    from_python = not (isinstance(value, np.ndarray) or (len(value) > 0 and isinstance(value[0], np.ndarray)))
    if from_python and array.dtype == np.float64:  # a Python float becomes torch's default, as torch.tensor does it
        return torch.tensor(array, dtype=torch.get_default_dtype())
    return torch.from_numpy(np.array(value) if array is value else array)


def _numpy(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise _ragged(name, value) from error
    if array.dtype == object:
        raise _ragged(name, value)
    return array.astype(np.int64) if array.size == 0 else array


def _ragged(name: str, value: Any) -> ValueError:
    rows = value if isinstance(value, (list, tuple)) else []
    lengths = sorted({len(row) for row in rows if hasattr(row, "__len__")})
    if len(lengths) > 1:
        found = f"{name!r} has rows of {lengths[0]} to {lengths[-1]} values"
    else:
        found = f"{name!r} holds values of unlike shapes or no numbers ({str(value)[:60]}…)"
    remedy = "pass padding=True (and truncation=True with max_length=…)"
    if name not in ("input_ids", "attention_mask", "token_type_ids", "special_tokens_mask"):
        remedy = "pad it yourself (a data collator does this for labels) or take it out"
    return ValueError(f"{found}, which no tensor can hold: {remedy}, or leave return_tensors out to get lists.")
