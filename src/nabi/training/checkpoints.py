"""Checkpoints on disk: written aside, made durable, and only then given their name, so that what bears the name
`checkpoint-120` is whole, whatever happened. A checkpoint has the incumbent's files, and loop.json beside them."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from ..checkpoint import find_weights
from ..hub import Repository
from .acceleration import is_sharded

logger = logging.getLogger(__name__)

PREFIX = "checkpoint"
UNFINISHED = ".unfinished-"
STATE, LOOP, ARGUMENTS = "trainer_state.json", "loop.json", "training_args.json"
OPTIMIZER, SCHEDULER, SCALER = "optimizer.pt", "scheduler.pt", "scaler.pt"
_NAME = re.compile(rf"{PREFIX}-(\d+)")


def step_of(folder: Path) -> int:
    """The number in checkpoint-120."""
    found = _NAME.fullmatch(folder.name)
    return int(found[1]) if found else -1


def checkpoints(folder: str | Path) -> list[Path]:
    """The whole checkpoints in a folder, the oldest first."""
    place = Path(folder)
    if not place.is_dir():
        return []
    return sorted((path for path in place.iterdir() if step_of(path) >= 0 and (path / STATE).is_file()), key=step_of)


def get_last_checkpoint(folder: str | Path) -> str | None:
    """The path of the newest whole checkpoint in an output folder, or None."""
    found = checkpoints(folder)
    return str(found[-1]) if found else None


# --- writing ------------------------------------------------------------------------------------------------------


def write_whole(folder: Path, write: Callable[[Path], None], last_good: str | None) -> None:
    """Let `write` fill a folder aside, make it durable, and rename it to `folder` in one step.

    Raises OSError if the disk is full or refuses: nothing of the attempt is left, and older checkpoints are intact.
    """
    aside = folder.with_name(f"{UNFINISHED}{folder.name}")
    try:
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(parents=True)
        write(aside)
        make_durable(aside)
        if folder.exists():  # of an earlier run in this output folder
            remove(folder)
        os.rename(aside, folder)
        sync(folder.parent)
    except (OSError, SafetensorError, RuntimeError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        if not is_of_disk(error, folder.parent):
            raise
        rest = f"the last good checkpoint is {last_good}" if last_good else "no checkpoint was written before"
        raise OSError(
            errno.ENOSPC,
            f"{folder.name} could not be written to {folder.parent} ({error}); {rest}. Free space there, or set "
            "save_total_limit or save_only_model=True, then go on with train(resume_from_checkpoint=True)",
        ) from error


def is_of_disk(error: Exception, place: Path) -> bool:
    """Whether a write failed for want of space: torch and safetensors wrap what the system said."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    said = re.search(r"No space left|File too large|Disk quota|os error (28|27|122)|unexpected pos", str(error))
    return bool(said) or (isinstance(error, RuntimeError) and "PytorchStreamWriter" in str(error)) or is_full(place)


def is_full(place: Path) -> bool:
    return place.is_dir() and shutil.disk_usage(place).free == 0


def make_durable(folder: Path) -> None:
    """Wait until every file below is on the disk, and the names of the files too."""
    for place, _, names in os.walk(folder):
        for name in names:
            sync(Path(place, name))
        sync(Path(place))


def sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Delete a checkpoint. It loses its name first: one that is half deleted is never taken for a whole one."""
    aside = folder.with_name(f"{UNFINISHED}{folder.name}-old")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what an interrupted run left half written."""
    for path in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)


def rotate(folder: Path, limit: int | None, best: str | None) -> None:
    """Keep the newest `limit` checkpoints, and the best one besides if it is older (it counts as one of them)."""
    if not limit:
        return
    found = checkpoints(folder)
    kept = [path for path in found if best and path.resolve() == Path(best).resolve()]
    newest = [path for path in reversed(found) if path not in kept]
    room = max(limit - len(kept), 1 if kept else 0)  # the last one is needed to go on
    for path in newest[room:]:
        logger.info("%s is removed: save_total_limit is %d", path, limit)
        remove(path)


def write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


# --- reading ------------------------------------------------------------------------------------------------------


def chosen_checkpoint(resume: bool | str | Path | None, output_dir: str) -> Path | None:
    """The checkpoint that train(resume_from_checkpoint=…) means: True is the last one in the output folder.

    Raises ValueError if there is none, or if the folder is no whole checkpoint.
    """
    if not resume:
        return None
    if resume is True:
        last = get_last_checkpoint(output_dir)
        if last is None:
            raise ValueError(
                f"resume_from_checkpoint=True, but {output_dir} holds no whole checkpoint: train from the start, or "
                "name the folder of one"
            )
        return Path(last)
    folder = Path(resume)
    if not folder.is_dir():
        raise ValueError(f"resume_from_checkpoint is {str(resume)!r}, which is no folder")
    if not (folder / STATE).is_file():
        inside = get_last_checkpoint(folder)
        hint = f"; did you mean {inside}?" if inside else ""
        raise ValueError(f"{folder} is no whole checkpoint: it has no {STATE}{hint}")
    return folder


def read_tensors(path: Path, what: str) -> Any:
    """What torch.save wrote, read as data only."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that mean nothing fail in torch in any way
        raise OSError(
            f"{path} is no whole {what} ({str(error).splitlines()[0]}): it is damaged, or of a version that stored "
            "more than numbers; resume from another checkpoint, or start with train() and the model of this one"
        ) from None


def restore_weights(model: Any, folder: Path) -> None:
    """Put a checkpoint's weights into a model that lives, so that its optimizer goes on with the same tensors."""
    if hasattr(model, "peft_config"):
        from peft import load_peft_weights, set_peft_model_state_dict

        for name in model.peft_config:
            place = folder if name == "default" else folder / name
            set_peft_model_state_dict(model, load_peft_weights(str(place), device="cpu"), adapter_name=name)
        return
    if hasattr(model, "restore_weights"):  # a model of several, each with a folder of its own
        model.restore_weights(folder)
        return
    weights = find_weights(Repository.open(folder, {}))
    expected = model.state_dict()
    found = {name: weights[name] for name in weights if name in expected}
    made = {*model.tied_weights(), *model.unstored_weights()} if hasattr(model, "tied_weights") else shared(model)
    lacking = sorted(set(expected) - set(found) - made)
    if lacking:
        raise ValueError(
            f"{folder} lacks {len(lacking)} weights of {type(model).__name__}, as {', '.join(lacking[:3])}: it is a "
            "checkpoint of another model"
        )
    wrong = [name for name, tensor in found.items() if tensor.shape != expected[name].shape]
    if wrong:
        raise ValueError(
            f"{folder} has {wrong[0]} of shape {tuple(found[wrong[0]].shape)}, the model of "
            f"{tuple(expected[wrong[0]].shape)}: it is a checkpoint of another model"
        )
    put_weights(model, found)


def put_weights(model: nn.Module, weights: dict[str, Any]) -> None:
    """Whole weights into a model that lives; of one that FSDP has sharded, each process takes its part."""
    if not is_sharded(model):
        model.load_state_dict(weights, strict=False)
        return
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict

    set_model_state_dict(model, weights, options=StateDictOptions(full_state_dict=True, strict=False))


def shared(model: nn.Module) -> set[str]:
    """All but the first name of each tensor that a plain module holds under several."""
    seen: dict[int, str] = {}
    again = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if tensor.numel() and seen.setdefault(id(tensor), name) != name:
            again.add(name)
    return again


def stored_weights(model: nn.Module, state: Mapping[str, Any] | None) -> dict[str, Any]:
    """A plain module's weights for a file: each tensor once."""
    tensors = model.state_dict() if state is None else state
    again = shared(model)
    return {name: tensor for name, tensor in tensors.items() if name not in again}
