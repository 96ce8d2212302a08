"""Flax's flax_model.msgpack, whole or in shards, read with msgpack: neither JAX nor Flax is needed.

The file is a tree of named levels with arrays for leaves. An array is an extension object that holds its shape, the
name of its dtype and its bytes; one of more than a gigabyte is cut into chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .stored import MissingLibrary, Stored

_ARRAY, _SCALAR = 1, 3  # the codes of Flax's extension objects; 2 is a complex number
_CHUNKED = "__msgpack_chunked_array__"
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int8,
                  torch.uint8, torch.int16, torch.bool)
}  # fmt: skip
_LEAVES = {"kernel": "weight", "scale": "weight", "embedding": "weight"}
_STATISTICS = {"mean": "running_mean", "var": "running_var"}  # of a batch norm, kept apart from what is learned


def read_flax(files: list[Path]) -> dict[str, Stored]:
    """The arrays of msgpack files by the names that PyTorch would give them, kernels turned."""
    try:
        import msgpack
    except ImportError:
        raise MissingLibrary("msgpack", files[0].name) from None

    found: dict[str, Stored] = {}
    for file in files:
        try:
            tree = msgpack.unpackb(file.read_bytes(), ext_hook=_array, raw=False, strict_map_key=False)
            if not isinstance(tree, dict):
                raise ValueError(f"it holds a {type(tree).__name__}, not a tree of arrays")
            arrays = list(_leaves(tree, []))
        except Exception as error:  # bytes that mean nothing fail in msgpack in any way
            reason = " ".join(str(error).split()) or type(error).__name__
            raise OSError(
                f"{file} is not a whole msgpack file of Flax ({reason}; {file.stat().st_size} bytes): it is truncated "
                "or corrupt, download or save it again"
            ) from None
        for path, array in arrays:
            add_flax(found, path, array)
    return found


def add_flax(found: dict[str, Stored], path: list[str], array: Stored) -> None:
    """Enter one array under its PyTorch name."""
    *levels, leaf = path
    leaves = _LEAVES
    if levels[:1] == ["batch_stats"]:
        levels, leaves = levels[1:], _STATISTICS
    elif levels[:1] == ["params"]:
        levels = levels[1:]
    found[".".join([*levels, leaves.get(leaf, leaf)])] = array.turned() if leaf == "kernel" else array


def _array(code: int, data: bytes) -> Any:
    import msgpack

    if code not in (_ARRAY, _SCALAR):
        raise ValueError(f"an extension object of code {code} is no array of numbers")
    shape, dtype_name, values = msgpack.unpackb(data, raw=True)
    dtype = _DTYPES.get(dtype_name.decode("ascii", "replace"))
    if dtype is None:
        raise ValueError(f"an array has the dtype {dtype_name!r}")
    if math.prod(shape) * dtype.itemsize != len(values):
        raise ValueError(f"an array of shape {tuple(shape)} has {len(values)} bytes")
    return Stored(tuple(shape), lambda: _values(values, dtype).reshape(tuple(shape)))


def _values(values: bytes, dtype: torch.dtype) -> Tensor:
    return torch.frombuffer(bytearray(values), dtype=dtype) if values else torch.empty(0, dtype=dtype)


def _leaves(tree: dict[Any, Any], path: list[str]) -> Iterator[tuple[list[str], Stored]]:
    for name, item in tree.items():
        here = [*path, str(name)]
        if isinstance(item, Stored):
            yield here, item
        elif isinstance(item, dict) and _CHUNKED in item:
            yield here, _joined(item)
        elif isinstance(item, dict):
            yield from _leaves(item, here)
        elif item is not None:
            raise ValueError(f"{'.'.join(here)} is a {type(item).__name__}, not an array")


def _joined(item: dict[str, Any]) -> Stored:
    shape = tuple(item["shape"][str(i)] for i in range(len(item["shape"])))
    chunks = [item["chunks"][str(i)] for i in range(len(item["chunks"]))]
    if sum(math.prod(chunk.shape) for chunk in chunks) != math.prod(shape):
        raise ValueError(f"the chunks of an array of shape {shape} do not add up")
    return Stored(shape, lambda: torch.cat([chunk.read().flatten() for chunk in chunks]).reshape(shape))
