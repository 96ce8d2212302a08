"""One checkpoint from its container into safetensors, whole or in shards, and compared with its source afterwards."""

from __future__ import annotations

import importlib
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..auto import family_of, find_class
from ..checkpoint import Weights, find_weights, save_weights, size_in_bytes
from ..config import CONFIG_NAME, Config, read_json
from ..hub import Repository
from ..models import FAMILIES
from ..nn.loading import Unmade, name_in_model
from ..nn.pretrained import PreTrainedModel
from .companions import copy_companions, held_checkpoint, move_into, write_config
from .fitting import class_that_fits, few, fit_to_class
from .sources import Source, find_source
from .stored import same_bits

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
ALL_IN_ONE = "all-in-one"
PASSES = 3  # over all weights: their sizes, writing, checking

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Conversion:
    """What was there and what was written. `tied` and `unused` name the weights that were left out, and why."""

    framework: str
    files: tuple[tuple[str, ...], tuple[str, ...]]  # each pair: before, after
    weights: tuple[int, int]
    parameters: tuple[int, int]
    bytes: tuple[int, int]
    dtypes: tuple[tuple[str, ...], tuple[str, ...]]
    tied: tuple[str, ...]
    unused: tuple[str, ...]


def convert_checkpoint(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype | None = None,
    max_shard_size: int | str = "5GB",
    model_class: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Conversion:
    """Write the checkpoint `source`, a folder or a repository of the Hub, into the folder `target` as safetensors.

    Reads safetensors, pickled .bin files, TensorFlow's tf_model.h5 and Flax's flax_model.msgpack, sharded or not. The
    names of PyTorch's weights stay as they are. dtype: float16, bfloat16 or float32 for the floating-point weights,
    None keeps each one's own. max_shard_size: text such as "2GB", or "all-in-one". model_class: whose weights these
    are, default the first of config.json's architectures. progress is called with the bytes read and to read; other
    options (revision, token, ...) are the Hub's. What was written is read back and compared bit by bit, and appears in
    its place only then. Raises OSError for files that are missing or broken, ValueError for what does not fit.
    """
    for name, given in (("source", source), ("target", target)):
        if not str(given).strip():
            raise ValueError(f"the {name} is empty: name a folder, or . for the current one")
    place = Path(os.path.abspath(Path(target).expanduser()))
    wanted = _dtype(dtype)
    limit = 1 << 62 if max_shard_size == ALL_IN_ONE else size_in_bytes(max_shard_size)
    repository = Repository.open(source, options)
    if options:
        raise TypeError(f"convert_checkpoint got unknown arguments: {', '.join(options)}")
    _check_place(place, repository, overwrite)
    config_file = repository.find(CONFIG_NAME)
    keys = {} if config_file is None else read_json(config_file)
    if wanted and keys.get("quantization_config"):
        raise ValueError(f"{source} is quantised, and another dtype would spoil its scales: convert it without dtype")
    found = find_source(repository)
    tied: list[str] = []
    unused: list[str] = []
    changes: dict[str, Any] = {}  # of config.json
    if found.pytorch is not None:
        read, tied = _of_pytorch(found.pytorch, keys, model_class)
    else:
        read, unused, class_name = _of_another(found, keys, model_class, str(source))
        if keys.get("architectures") != [class_name]:
            changes["architectures"] = [class_name]
    if wanted:
        changes["dtype" if "dtype" in keys else "torch_dtype"] = str(wanted).removeprefix("torch.")

    size = sum(file.stat().st_size for file in found.files)
    tensors = _Tensors(read, wanted, PASSES * size, progress)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        workshop = tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        raise _unwritable(place, place.parent, error.strerror or str(error)) from error
    with workshop as beside:
        folder = Path(beside, place.name)
        folder.mkdir()
        save_weights(tensors, folder, max_shard_size=limit)
        copy_companions(repository, folder)
        if config_file is not None:
            write_config(config_file, folder, keys, changes)
        written = find_weights(Repository(str(folder)), use_safetensors=True)
        _compare(tensors, written)
        sizes = [file.stat().st_size for file in written.files]
        names = tuple(file.name for file in written.files)
        del written  # its files are mapped, and Windows moves none that is
        move_into(folder, place)
    return Conversion(
        framework=found.framework,
        files=(tuple(file.name for file in found.files), names),
        weights=(len(found.pytorch or found.stored or ()), len(read)),
        parameters=(_count(found), sum(tensors.counts.values())),
        bytes=(size, sum(sizes)),
        dtypes=(tuple(sorted(tensors.dtypes)), tuple(sorted(tensors.new_dtypes))),
        tied=tuple(tied),
        unused=tuple(unused),
    )


class _Tensors(Mapping[str, Tensor]):
    """The tensors to write, made when they are asked for, so that one shard at a time is in memory."""

    def __init__(
        self, read: dict[str, Callable[[], Tensor]], dtype: torch.dtype | None, total: int, progress: Progress | None
    ) -> None:
        self.read, self.dtype, self.total, self.progress = read, dtype, total, progress
        self.done = 0
        self.counts: dict[str, int] = {}
        self.dtypes: set[str] = set()
        self.new_dtypes: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        tensor = self.read[name]()
        self.done += tensor.nbytes
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)
        cast = _cast(name, tensor, self.dtype) if self.dtype and tensor.is_floating_point() else tensor
        self.counts[name] = tensor.numel()
        self.dtypes.add(_name(tensor.dtype))
        self.new_dtypes.add(_name(cast.dtype))
        return cast

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)


def _count(found: Source) -> int:
    if found.stored is not None:
        return sum(math.prod(array.shape) for array in found.stored.values())
    return sum(tensor.numel() for tensor in (found.pytorch or {}).values())


def _cast(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    cast = tensor.to(dtype)
    if bool((cast.isinf() & ~tensor.isinf()).any()):
        raise ValueError(
            f"{name} holds {tensor.abs().nan_to_num(0).max().item():g}, which {_name(dtype)} has no room for: use "
            "bfloat16, or keep the dtype"
        )
    return cast


def _compare(tensors: Mapping[str, Tensor], written: Weights) -> None:
    """Every tensor that was to be written is there, bit for bit, and no other."""
    wrong = sorted(set(tensors) ^ set(written))
    for name in () if wrong else tensors:
        expected, found = tensors[name], written[name]
        if found.dtype != expected.dtype or found.shape != expected.shape or not same_bits(found, expected):
            wrong.append(name)
    if wrong:
        raise OSError(
            f"{len(wrong)} weights did not come back from the disk as they were written ({few(wrong)}): the disk may "
            "be full or failing; nothing was left in the target"
        )


def _of_pytorch(
    weights: Weights, keys: dict[str, Any], model_class: str | None
) -> tuple[dict[str, Callable[[], Tensor]], list[str]]:
    """All weights under their own names, but each tied one once; of a model that nabi does not know, all.

    Old spellings as LayerNorm.gamma stay too: whoever reads the file looks for the names that it had, adapters and
    other programs among them, and nabi renews them as it loads.
    """
    read: dict[str, Callable[[], Tensor]] = {name: partial(weights.__getitem__, name) for name in weights}
    try:
        config, found = _class_of(keys, model_class)
        with Unmade():
            model = found(config)
    except (ValueError, TypeError):
        if model_class is not None:
            raise
        return read, []
    expected = model.state_dict()
    stored = {name_in_model(model, name, expected): name for name in weights}
    tied = []
    for alias, origin in model.tied_weights().items():
        if alias in stored and origin in stored and same_bits(weights[stored[alias]], weights[stored[origin]]):
            tied.append(stored[alias])
            del read[stored[alias]]
    return read, tied


def _of_another(
    found: Source, keys: dict[str, Any], model_class: str | None, source: str
) -> tuple[dict[str, Callable[[], Tensor]], list[str], str]:
    """The weights of a TensorFlow or Flax file under the names of the class that they fit exactly."""
    assert found.stored is not None
    if not keys:
        raise FileNotFoundError(f"there is no config.json in {source}, and {found.framework}'s weights need one")
    config, chosen = _class_of(keys, model_class)
    fit = fit_to_class(found.stored, found.framework, config, chosen)
    if not fit.is_exact:
        others = [other for other in _classes(family_of(config.model_type)) if other is not chosen]
        better = class_that_fits(found.stored, found.framework, config, others)
        remedy = (
            f"{better} fits: pass model_class={better!r} (--model-class {better})"
            if better
            else ("pass the class that they belong to as model_class (--model-class), or check config.json")
        )
        raise ValueError(
            f"{found.framework}'s weights in {source} are not those of {chosen.__name__} ({fit}); {remedy}"
        )
    return {name: array.read for name, array in fit.weights.items()}, fit.unused, chosen.__name__


def _class_of(keys: dict[str, Any], wanted: str | None) -> tuple[Config, type[PreTrainedModel]]:
    """The configuration and the class of its weights: the wanted one, or the first that config.json names."""
    module = family_of(keys.get("model_type"))
    config = find_class(module, "Config").from_dict(keys, ignore_unknown_keys=True)
    architectures = keys.get("architectures") or []
    name = wanted or (str(architectures[0]) if isinstance(architectures, list) and architectures else "")
    name = name.removeprefix("TF").removeprefix("Flax")
    for found in _classes(module):
        if found.__name__ == name:
            return config, found
    known = ", ".join(each.__name__ for each in _classes(module))
    said = f"is {name!r}" if name else "is not given, and config.json names no architectures"
    raise ValueError(f"model_class (--model-class) {said}; the family {config.model_type!r} has {known}")


def _classes(module: str) -> list[type[PreTrainedModel]]:
    loaded = importlib.import_module(f"..models.{module}", __package__)
    names = [name for name in FAMILIES[module] if not name.endswith(("Config", "PreTrainedModel"))]
    return [getattr(loaded, name) for name in names]


def _unwritable(place: Path, above: Path, reason: str) -> OSError:
    return OSError(
        f"the target {str(place)!r} cannot be made in {str(above)!r} ({reason}): name a folder in a place that you may "
        "write to"
    )


def _check_place(place: Path, repository: Repository, overwrite: bool) -> None:
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"the target {str(place)!r} is a file: name a folder")
    above = next(folder for folder in (place, *place.parents) if folder.exists())
    if not above.is_dir():
        raise NotADirectoryError(f"the target {str(place)!r} lies under {str(above)!r}, a file: name another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise _unwritable(place, above, "no permission to write")
    if repository.is_local and place.exists() and place.samefile(Path(repository.name, repository.subfolder)):
        raise ValueError(f"the source and the target are the same folder, {str(place)!r}: name another target")
    held = held_checkpoint(place)
    if held and not overwrite:
        raise FileExistsError(
            f"the target {str(place)!r} holds a checkpoint already ({held}): name another folder, or pass "
            "overwrite=True (--overwrite)"
        )


def _dtype(wanted: str | torch.dtype | None) -> torch.dtype | None:
    if wanted is None:
        return None
    name = _name(wanted) if isinstance(wanted, torch.dtype) else wanted
    if name not in DTYPES:
        raise ValueError(f"dtype is {wanted!r}; expected one of {', '.join(DTYPES)}")
    return DTYPES[name]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
