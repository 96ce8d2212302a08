"""What a checkpoint holds beside the weights, gathered from all processes, and how a run takes it up again."""

from __future__ import annotations

import copy
import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..checkpoint import save_weights
from . import checkpoints, deepspeed
from .callbacks.state import TrainerState
from .seeds import random_state, restore_random_state

if TYPE_CHECKING:
    from .hooks.saving import SavingHooks
    from .trainer import Trainer

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Where the loop stands, to the batch, and what it has added up since the last log.

    epoch and batches: how many epochs, and batches of this one, are done. loss_sums: of each process over the
    loss_steps updates since the last log; loss_total: their mean over all updates. norm and rate: of the last update,
    for a log that is to come. closing: an epoch's batches are done, but not yet what follows an epoch. order: what
    decides the order of the data, to be compared.
    """

    epoch: int = 0
    batches: int = 0
    loss_sums: list[float] = field(default_factory=lambda: [0.0])
    loss_steps: int = 0
    loss_total: float = 0.0
    norm: float | None = None
    rate: float | None = None
    closing: bool = False
    order: dict[str, Any] | None = None

    def loss_of(self, process: int, world: int) -> float:
        """What this process had added up; after a change of their number, the mean."""
        sums = self.loss_sums
        return sums[process] if len(sums) == world else sum(sums) / len(sums)


def order_of(trainer: Trainer, batches_in_epoch: int | None) -> dict[str, Any]:
    """What must be the same for a resumed run to see the same batches."""
    args = trainer.args
    return {
        "seed": args.seed if args.data_seed is None else args.data_seed,
        "rows": args.train_batch_size * args.world_size,
        "accumulated": args.gradient_accumulation_steps,
        "batches_in_epoch": batches_in_epoch,
        "strategy": str(args.train_sampling_strategy),
    }


def save(trainer: Trainer, progress: Progress) -> None:
    """Write checkpoint-<step> into the output folder; every process calls this."""
    args, accelerator = trainer.args, trainer.accelerator
    output = Path(trainer.output_dir)
    folder = output / f"{checkpoints.PREFIX}-{trainer.state.global_step}"
    weights = trainer.whole_state_dict()
    engine = output / f"{checkpoints.UNFINISHED}engine"
    optimizer = None
    if deepspeed.runs(accelerator) and not args.save_only_model:
        deepspeed.save_state(trainer, engine)
    elif not args.save_only_model:
        optimizer = optimizer_state(trainer)
    generators = gathered(accelerator, random_state())
    if args.should_save:
        last = checkpoints.get_last_checkpoint(output)

        def write(place: Path) -> None:
            trainer.write_model(place, weights)
            if not args.save_only_model:
                if optimizer is not None:
                    torch.save(optimizer, place / checkpoints.OPTIMIZER)
                else:
                    move_into(engine, place)
                torch.save(trainer.lr_scheduler.state_dict(), place / checkpoints.SCHEDULER)
                if accelerator.scaler is not None:
                    torch.save(accelerator.scaler.state_dict(), place / checkpoints.SCALER)
                for rank, state in enumerate(generators):
                    torch.save(state, place / random_file(rank, len(generators)))
                checkpoints.write_json(asdict(progress), place / checkpoints.LOOP)
            trainer.state.save_to_json(str(place / checkpoints.STATE))

        checkpoints.write_whole(folder, write, last)
        checkpoints.rotate(output, args.save_total_limit, trainer.state.best_model_checkpoint)
    accelerator.wait_for_everyone()


def write_files(trainer: SavingHooks, model: Any, folder: Path, weights: dict[str, Any] | None) -> None:
    """Model, processing class and arguments."""
    if hasattr(model, "save_pretrained"):
        model.save_pretrained(folder, state_dict=weights)
    else:
        save_weights(checkpoints.stored_weights(model, weights), folder)
    processing: Any = trainer.processing_class or getattr(trainer.data_collator, "tokenizer", None)
    if hasattr(processing, "save_pretrained"):
        processing.save_pretrained(folder)
    (folder / checkpoints.ARGUMENTS).write_text(trainer.args.to_json_string() + "\n", encoding="utf-8")


def move_into(folder: Path, place: Path) -> None:
    """All that is in one folder into another on the same disk."""
    for path in list(folder.iterdir()):
        path.rename(place / path.name)
    folder.rmdir()


def merged(model: Any) -> Any:
    """A copy of a model of peft with its adapters worked into the weights."""
    if not hasattr(model, "merge_and_unload"):
        raise ValueError(f"merge_adapter=True, but {type(model).__name__} has no adapters: leave it out")
    return copy.deepcopy(model).merge_and_unload()


def gathered(accelerator: Any, value: Any) -> list[Any]:
    """What every process has, in their order."""
    if accelerator.num_processes == 1:
        return [value]
    from accelerate.utils import gather_object

    return gather_object([value])


def random_file(rank: int, world: int) -> str:
    return "rng_state.pth" if world == 1 else f"rng_state_{rank}.pth"


def model_state(trainer: SavingHooks) -> dict[str, Any]:
    """The weights that FSDP has sharded, whole on the CPU of the main process; {} in the others."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    return get_model_state_dict(trainer.model, options=options)


def optimizer_state(trainer: Trainer) -> dict[str, Any]:
    """The optimizer's state, whole, weights by their number: a run may go on with any number of processes."""
    if not trainer.shards_weights:
        return trainer.optimizer.state_dict()
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    found: dict[str, Any] = get_optimizer_state_dict(trainer.model, bare(trainer.optimizer), options=options)
    number = {name: place for place, name in enumerate(names_in_order(trainer))}
    groups = [
        {**group, "params": [number[name] for name in group["params"]]} for group in found.get("param_groups", [])
    ]
    return {"state": {number[name]: one for name, one in found.get("state", {}).items()}, "param_groups": groups}


def load_optimizer_state(trainer: Trainer, state: dict[str, Any]) -> None:
    if not trainer.shards_weights:
        trainer.optimizer.load_state_dict(state)
        return
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    names = names_in_order(trainer)
    groups = [{**group, "params": [names[place] for place in group["params"]]} for group in state["param_groups"]]
    named: dict[str, Any] = {
        "state": {names[place]: one for place, one in state["state"].items()},
        "param_groups": groups,
    }
    options = StateDictOptions(full_state_dict=True)
    set_optimizer_state_dict(trainer.model, bare(trainer.optimizer), named, options=options)


def names_in_order(trainer: Trainer) -> list[str]:
    """The name of each weight of the optimizer, in its order, without what wrapping added."""
    names = {id(weight): name for name, weight in trainer.model.named_parameters()}
    found = (names[id(weight)] for group in bare(trainer.optimizer).param_groups for weight in group["params"])
    return [name.replace("_checkpoint_wrapped_module.", "").replace("_orig_mod.", "") for name in found]


def bare(optimizer: Any) -> Any:
    """The optimizer without accelerate's wrapping."""
    return getattr(optimizer, "optimizer", optimizer)


def resume(trainer: Trainer, folder: Path, batches_in_epoch: int | None) -> Progress:
    """Take up optimizer, schedule, scaler, callbacks and the loop's place; the weights are in the model already."""
    trainer.state = TrainerState.load_from_json(str(folder / checkpoints.STATE))
    by_engine = deepspeed.runs(trainer.accelerator)
    if by_engine:
        deepspeed.load_state(trainer, folder)
    elif any(folder.glob(f"{deepspeed.STATE}*")):
        raise ValueError(f"{folder} was saved by DeepSpeed: go on with deepspeed in the arguments, or with its model")
    wanted = (checkpoints.SCHEDULER,) if by_engine else (checkpoints.OPTIMIZER, checkpoints.SCHEDULER)
    files = {name: folder / name for name in wanted}
    lacking = [name for name, path in files.items() if not path.is_file()]
    if lacking:
        raise ValueError(
            f"{folder} holds no {' and no '.join(lacking)}: it was saved with save_only_model=True, and training "
            "cannot go on from it; load its model and call train() for a new run"
        )
    if not by_engine:
        load_optimizer_state(trainer, checkpoints.read_tensors(files[checkpoints.OPTIMIZER], "optimizer state"))
    trainer.lr_scheduler.load_state_dict(checkpoints.read_tensors(files[checkpoints.SCHEDULER], "schedule"))
    if trainer.accelerator.scaler is not None and (folder / checkpoints.SCALER).is_file():
        trainer.accelerator.scaler.load_state_dict(checkpoints.read_tensors(folder / checkpoints.SCALER, "scaler"))
    return progress_in(trainer, folder, batches_in_epoch)


def read_progress(path: Path) -> Progress:
    try:
        return Progress(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is no whole place of a training ({error}): it is damaged, or of another version of nabi; without "
            "this file the run goes on with the first batch after the last whole update"
        ) from None


def progress_in(trainer: Trainer, folder: Path, batches_in_epoch: int | None) -> Progress:
    """The loop's place; of a checkpoint of the incumbent, worked out from its number of steps."""
    path = folder / checkpoints.LOOP
    now = order_of(trainer, batches_in_epoch)
    if path.is_file():
        progress = read_progress(path)
        changed = [
            f"{name} was {then}, is {now[name]}"
            for name, then in (progress.order or {}).items()
            if name in now and now[name] != then
        ]
        if not changed:
            return progress
        logger.warning("this run does not go on exactly as the one that saved %s: %s", folder, "; ".join(changed))
    step = trainer.state.global_step
    updates = -(-batches_in_epoch // trainer.args.gradient_accumulation_steps) if batches_in_epoch else 0
    epoch, inside = divmod(step, updates) if updates else (0, step)
    return Progress(epoch, inside * trainer.args.gradient_accumulation_steps, order=now)


def restore_generators(trainer: Trainer, folder: Path) -> None:
    """Go on with the random numbers that would have come next."""
    args = trainer.args
    path = folder / random_file(args.process_index, args.world_size)
    if not path.is_file():
        logger.warning("%s is missing: dropout goes on with other random numbers than the interrupted run", path)
        return
    try:
        restore_random_state(checkpoints.read_tensors(path, "state of random numbers"))
    except (OSError, KeyError, TypeError):  # the incumbent's file is a pickle with more than numbers in it
        logger.warning("%s cannot be read as numbers alone: dropout goes on with other random numbers", path)
