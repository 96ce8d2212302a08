"""Weights in and out: safetensors, sharded or not, and pickled `.bin` files read as data only.

Safetensors are memory-mapped: a tensor costs no memory until it is used, and two processes share the pages.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .config import read_json
from .hub import Repository

SAFETENSORS = "model.safetensors"
PICKLED = "pytorch_model.bin"
OF_OTHER_FRAMEWORKS = ("tf_model.h5", "tf_model.h5.index.json", "flax_model.msgpack", "flax_model.msgpack.index.json")
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin")


class Weights(Mapping[str, Tensor]):
    """The tensors of a checkpoint by their name on disk, read when they are asked for."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = tuple(files)
        self._reader: dict[str, Mapping[str, Tensor]] = {}
        for file in self.files:
            refuse_pointer(file)
            tensors: Mapping[str, Tensor] = _Mapped(file) if file.suffix == ".safetensors" else read_pickled(file)
            self._reader.update(dict.fromkeys(tensors, tensors))

    def __getitem__(self, name: str) -> Tensor:
        return self._reader[name][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader)

    def __len__(self) -> int:
        return len(self._reader)


def refuse_pointer(file: Path) -> None:
    """OSError for the small text that Git LFS leaves in place of a file it has not downloaded."""
    with file.open("rb") as stream:
        if stream.read(23) == b"version https://git-lfs":
            raise OSError(
                f"{file} is no weights file but Git LFS's pointer to one: run `git lfs install` and `git lfs pull` in "
                "its folder, or download the file itself"
            )


class _Mapped(Mapping[str, Tensor]):
    """One memory-mapped safetensors file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._open = safe_open(file, framework="pt")
        except SafetensorError as error:
            raise OSError(
                f"{file} is not a whole safetensors file ({error}; {file.stat().st_size} bytes): it is truncated "
                "or corrupt, download or save it again"
            ) from None
        self._names = dict.fromkeys(self._open.keys())

    def __getitem__(self, name: str) -> Tensor:
        return self._open.get_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def read_pickled(file: Path) -> dict[str, Tensor]:
    """The state dict in a pickled file, with weights_only=True: a pickle that holds anything else is refused."""
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as error:  # bytes that mean nothing fail in torch in any way
        found = re.search(r"GLOBAL (\S+)|whose module (\S+) is blocked", str(error))
        if found:
            raise OSError(
                f"{file} is a pickle with more than weights in it: it asks for {found[1] or found[2]}, and loading it "
                "could run code, so nabi refuses: use the checkpoint's safetensors file, or convert it where you "
                "trust it"
            ) from None
        reason = (str(error).split("WeightsUnpickler error:")[-1].strip() or type(error).__name__).splitlines()[0]
        raise OSError(
            f"{file} is no pickle of plain weights ({reason}): it is truncated or corrupt, or made so that loading it "
            "could run code; download or save it again, or use safetensors"
        ) from None
    tensors = tensors.get("state_dict", tensors) if isinstance(tensors, dict) else tensors
    plain = isinstance(tensors, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in tensors.items()
    )
    if not plain:
        remedy = ""
        if isinstance(tensors, dict) and tensors:
            remedy = f"; its keys are {', '.join(map(repr, list(tensors)[:8]))}"
            for key, value in tensors.items():
                if isinstance(value, dict) and value and all(isinstance(tensor, Tensor) for tensor in value.values()):
                    remedy += f": save the one with the weights, torch.save(checkpoint[{key!r}], {file.name!r})"
                    break
        raise OSError(f"{file} holds a {type(tensors).__name__}, expected a state dict of tensors by name{remedy}")
    return tensors


def find_weights(repository: Repository, *, use_safetensors: bool | None = None, variant: str | None = None) -> Weights:
    """Locate a checkpoint's weights: safetensors before .bin, one file before shards.

    use_safetensors: True refuses .bin files, False prefers them. variant: the middle name as in model.fp16.safetensors.
    """
    names = [SAFETENSORS, PICKLED] if use_safetensors is not False else [PICKLED]
    for name in names[:1] if use_safetensors else names:
        stem, suffix = name.rsplit(".", 1)
        named = f"{stem}.{variant}.{suffix}" if variant else name
        if file := repository.find(named):
            return Weights([file])
        index = f"{name}.index.{variant}.json" if variant else f"{name}.index.json"
        if file := repository.find(index):
            return _sharded(repository, file)
    wanted = " nor ".join(names[:1] if use_safetensors else names)
    if repository.is_local and (other := repository.find(*OF_OTHER_FRAMEWORKS)):
        raise OSError(
            f"{repository.name} has {other.name}, but neither {wanted} nor a sharded index of it: "
            f"`nabi convert {repository.name} TARGET` makes safetensors of it"
        )
    raise OSError(
        f"no weights in {repository.name}: neither {wanted} nor a sharded index of it is there"
        + (f" for the variant {variant!r}" if variant else "")
        + "; check the name, or save the model there with save_pretrained"
    )


def _sharded(repository: Repository, index: Path) -> Weights:
    """The weights in the files that an index names, all of which must be there and hold what it says."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ValueError(f"{index} has no weight_map from tensor names to files: download it again")
    names = sorted(set(map(str, weight_map.values())))
    for name in names:
        if Path(name).name != name or name in ("", ".."):
            raise ValueError(f"{index} points outside of its folder: {name!r}")
    weights = Weights([repository.file(name) for name in names])
    lacking = [tensor for tensor in weight_map if tensor not in weights]
    if lacking:
        raise OSError(
            f"{index} puts {lacking[0]!r} into {weight_map[lacking[0]]!r}, which does not hold it ({len(lacking)} "
            "tensors are lacking): the files do not belong together, download them again"
        )
    return weights


def save_weights(
    tensors: Mapping[str, Tensor], folder: Path, *, max_shard_size: int | str = "50GB", safetensors: bool = True
) -> None:
    """Write tensors as one file or as shards with an index, and remove the weight files they replace.

    A file appears under its name only when it is whole: the old one may still be mapped by the model being saved.
    """
    stem, suffix = (SAFETENSORS if safetensors else PICKLED).rsplit(".", 1)
    sizes = {name: tensor.numel() * tensor.element_size() for name, tensor in tensors.items()}
    shards = _cut(sizes, size_in_bytes(max_shard_size))
    files = [
        f"{stem}.{suffix}" if len(shards) == 1 else f"{stem}-{i:05d}-of-{len(shards):05d}.{suffix}"
        for i in range(1, len(shards) + 1)
    ]
    for file, names in zip(files, shards, strict=True):
        part = _apart({name: tensors[name].detach().cpu().contiguous() for name in names}, whole=safetensors)
        unfinished = folder / f".{file}.unfinished"
        try:
            unfinished.touch()
            mode = unfinished.stat().st_mode  # what other files get; the library would make it the owner's alone
            if safetensors:
                save_file(part, unfinished, metadata={"format": "pt"})
                unfinished.chmod(mode)
            else:
                torch.save(part, unfinished)
            os.replace(unfinished, folder / file)
        finally:
            unfinished.unlink(missing_ok=True)
    index = folder / f"{stem}.{suffix}.index.json"
    if len(shards) > 1:
        weight_map = {name: file for file, names in zip(files, shards, strict=True) for name in names}
        contents = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": weight_map}
        index.write_text(json.dumps(contents, indent=2) + "\n")
    keep = {*files, index.name} if len(shards) > 1 else set(files)
    for old in folder.iterdir():
        stale = old.name in (SAFETENSORS, PICKLED, f"{SAFETENSORS}.index.json", f"{PICKLED}.index.json")
        if (stale or _SHARD.fullmatch(old.name)) and old.name not in keep:
            old.unlink()


def _apart(tensors: dict[str, Tensor], *, whole: bool) -> dict[str, Tensor]:
    """A copy of each tensor that overlaps another, for a file holds each by itself; and, but for `whole`, of each
    that is a part of more memory, which a pickle would store with it."""
    end = 0
    for name in sorted(tensors, key=lambda name: tensors[name].data_ptr()):
        tensor = tensors[name]
        start, size = tensor.data_ptr(), tensor.numel() * tensor.element_size()
        if start < end or not (whole or tensor.untyped_storage().nbytes() == size):
            tensors[name] = tensor.clone()
        end = max(end, start + size)
    return tensors


def _cut(sizes: dict[str, int], limit: int) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if shards[-1] and filled + size > limit:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards


def size_in_bytes(size: int | str) -> int:
    """A size given as a number or as text such as '5GB', '200MB' or '2GiB'."""
    if isinstance(size, int):
        return size
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B\s*", size, re.IGNORECASE)
    if not match:
        raise ValueError(f"max_shard_size is {size!r}; expected a number of bytes or text such as '5GB' or '200MB'")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " "))
