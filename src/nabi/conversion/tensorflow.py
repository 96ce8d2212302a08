"""TensorFlow's tf_model.h5, whole or in shards, read with h5py: no TensorFlow is needed.

Keras names a weight by its path of layers, `tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0`. The
first part is the model's own name; `_._` parts the levels of a list; of `mlm___cls` only `cls` is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .stored import MissingLibrary, Stored, same_bits

_LEAVES = {
    "kernel": "weight",
    "embeddings": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def read_tensorflow(files: list[Path]) -> dict[str, Stored]:
    """The arrays of HDF5 files by the names that PyTorch would give them, kernels turned."""
    try:
        import h5py
    except ImportError:
        raise MissingLibrary("h5py", files[0].name) from None

    found: dict[str, Stored] = {}
    for file in files:
        try:
            opened = h5py.File(file, "r")
            whole_model = "model_weights" in opened or "model_config" in opened.attrs
            arrays = [] if whole_model else list(_arrays(opened))
        except Exception as error:  # bytes that mean nothing fail in HDF5 in any way
            raise _damaged(file, error) from None
        if whole_model:
            raise ValueError(
                f"{file} is a whole Keras model (of model.save), not the weights of a checkpoint: load it in "
                "TensorFlow and write tf_model.h5 with save_pretrained or save_weights"
            )
        if not arrays:
            raise ValueError(f"{file} holds no weights: it is no tf_model.h5, download or save it again")
        for name, data, shape, is_outside, kind in arrays:
            # HDF5 can point into other files of this machine; a checkpoint has no business there.
            if is_outside:
                raise ValueError(f"{file} takes {name!r} from another file, which nabi refuses: save it again whole")
            if kind not in "fiub":
                raise ValueError(f"{file} holds no numbers in {name!r}: it is no tf_model.h5")
            add_tensorflow(found, name, Stored(shape, partial(_values, data, file)))
    return found


def add_tensorflow(found: dict[str, Stored], name: str, array: Stored) -> None:
    """Enter one array under its PyTorch name. What several layers share is in a file once for each of them."""
    *levels, leaf = torch_name(name)
    name = ".".join([*levels, _LEAVES.get(leaf, leaf)])
    array = array.turned() if leaf == "kernel" else array
    twin = found.setdefault(name, array)
    if twin is not array and (twin.shape != array.shape or not same_bits(twin.read(), array.read())):
        raise ValueError(f"the file holds two different arrays for {name}: download or save it again")


def torch_name(name: str) -> list[str]:
    """The levels of a Keras path, without the model's own name."""
    name = re.sub(r"[^/]*___", "", name.removesuffix(":0"))
    return [level for level in name.replace("_._", "/").split("/") if level]


def _arrays(opened: Any) -> Iterator[tuple[str, Any, tuple[int, ...], bool, str]]:
    """Names without the model's own, data sets, their shapes, whether they lie outside the file, and their kinds.

    Whole files group them by layer, under a first level that repeats a part of the name; shards hold them bare. The
    tree of the file says all this, links to other files not followed. Keras's lists of names are left alone: where a
    file is damaged, HDF5 may read such texts for ever.
    """
    is_whole = "keras_version" in opened.attrs or "top_level_model_weights" in opened
    found: list[tuple[str, Any]] = []
    opened.visititems(lambda name, item: None if hasattr(item, "keys") else found.append((name, item)))
    for name, data in found:
        bare = name.split("/", 1)[-1] if is_whole else name
        outside = bool(data.external) or data.is_virtual
        keeps_own = is_whole or bare.startswith("model.")
        yield bare.split("/", 1)[-1] if keeps_own else bare, data, tuple(data.shape), outside, data.dtype.kind


def _values(data: Any, file: Path) -> torch.Tensor:
    try:
        return torch.from_numpy(np.ascontiguousarray(data[()]).reshape(data.shape))
    except Exception as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> OSError:
    return OSError(
        f"{file} is not a whole HDF5 file ({' '.join(str(error).split())}; {file.stat().st_size} bytes): it is "
        "truncated or corrupt, download or save it again"
    )
