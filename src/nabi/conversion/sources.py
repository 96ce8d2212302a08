"""Finding the weights of a checkpoint, in whichever container they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safetensors import safe_open

from ..checkpoint import Weights, find_weights, refuse_pointer
from ..config import read_json
from ..hub import Repository
from .flax import add_flax, read_flax
from .stored import Stored
from .tensorflow import add_tensorflow, read_tensorflow

PYTORCH = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
TENSORFLOW = "tf_model.h5"
FLAX = "flax_model.msgpack"


@dataclass(frozen=True)
class Source:
    """The weights as they are: of PyTorch by their names, or arrays of TensorFlow or Flax in PyTorch's layout."""

    framework: str
    files: tuple[Path, ...]
    pytorch: Weights | None = None
    stored: dict[str, Stored] | None = None


def find_source(repository: Repository) -> Source:
    """PyTorch's weights before TensorFlow's before Flax's. Raises OSError where there are none."""
    if repository.find(*PYTORCH):
        weights = find_weights(repository)
        framework = _written_by(weights.files)
        if framework == "PyTorch":
            return Source(framework, weights.files, pytorch=weights)
        return Source(framework, weights.files, stored=_renamed(weights, framework))
    for framework, name, read in (("TensorFlow", TENSORFLOW, read_tensorflow), ("Flax", FLAX, read_flax)):
        if files := _files(repository, name):
            for file in files:
                refuse_pointer(file)
            return Source(framework, tuple(files), stored=read(files))
    raise FileNotFoundError(
        f"no weights in {repository.name}: none of model.safetensors, pytorch_model.bin, {TENSORFLOW}, {FLAX} and "
        "their sharded indexes is there; check the name"
    )


def _written_by(files: tuple[Path, ...]) -> str:
    """The framework whose layout safetensors files have: TensorFlow and Flax wrote them too, and said so inside."""
    said = set()
    for file in files:
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt") as opened:
                said.add((opened.metadata() or {}).get("format"))
    return "TensorFlow" if "tf" in said else "Flax" if "flax" in said else "PyTorch"


def _renamed(weights: Weights, framework: str) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    for name in weights:
        array = Stored(tuple(weights[name].shape), partial(weights.__getitem__, name))
        if framework == "TensorFlow":
            add_tensorflow(found, name, array)
        else:
            add_flax(found, name.split("."), array)
    return found


def _files(repository: Repository, name: str) -> list[Path]:
    """The file, or the shards that its index names."""
    if file := repository.find(name):
        return [file]
    index = repository.find(f"{name}.index.json")
    if index is None:
        return []
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ValueError(f"{index} has no weight_map from names to files: download it again")
    return [repository.file(shard) for shard in sorted(set(map(str, weight_map.values())))]
