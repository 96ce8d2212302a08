"""Which examples make which batch, and what is drawn at random on the way: both depend on the seed, the epoch and the
batch's number alone. A resumed run therefore starts at any batch, and several processes agree without talking.

    dataset ─► order of the epoch ─► batches of all processes ─► this process's rows ─► collator ─► tensors
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from .seeds import seeded

Collator = Callable[[list[Any]], Any]
MEGABATCH = 50  # so many batches are sorted by length together: near lengths meet, the order stays random


class Batches(Dataset):
    """Map-style: (epoch, number, rows) -> the collated batch of these examples."""

    def __init__(self, dataset: Any, collate: Collator, seed: int, rank: int = 0) -> None:
        self.dataset, self.collate, self.seed, self.rank = dataset, collate, seed, rank

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, place: tuple[int, int, list[int]]) -> Any:
        epoch, number, rows = place
        with seeded(self.seed, epoch, number, self.rank):
            return self.collate(self._examples(rows))

    def _examples(self, rows: list[int]) -> list[Any]:
        if hasattr(self.dataset, "__getitems__"):
            return self.dataset.__getitems__(rows)
        return [self.dataset[row] for row in rows]


class BatchStream(IterableDataset):
    """The same of a dataset that only iterates: every process reads it whole and keeps its rows of each batch."""

    def __init__(
        self, dataset: Any, collate: Collator, seed: int, size: int, rank: int, world: int, whole: bool
    ) -> None:
        self.dataset, self.collate, self.seed = dataset, collate, seed
        self.size, self.rank, self.world, self.whole = size, rank, world, whole
        self.place = torch.zeros(2, dtype=torch.long).share_memory_()  # epoch and first batch: workers see a change
        self.rows = torch.zeros(1, dtype=torch.long).share_memory_()  # all there are, once a batch came out short

    def __len__(self) -> int:
        """How many batches there are, of a dataset that knows its length; else TypeError."""
        return batches_of(len(self.dataset), self.size * self.world, self.whole)

    def __iter__(self) -> Iterator[Any]:
        epoch, start = self.place.tolist()
        worker = get_worker_info()
        share, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)
        with seeded(self.seed, epoch):
            examples = iter(self.dataset)
        for number in itertools.count():
            with seeded(self.seed, epoch, number):
                rows = list(itertools.islice(examples, self.size * self.world))
                if not rows or (self.whole and len(rows) < self.size * self.world):
                    return
                if len(rows) < self.size * self.world:
                    self.rows.fill_(number * self.size * self.world + len(rows))
                if number < start or (number - start) % workers != share:
                    continue
            with seeded(self.seed, epoch, number, self.rank):
                batch = self.collate([rows[i] for i in share_of(range(len(rows)), self.rank, self.world)])
            yield batch


class Order:
    """A sampler: the places of an epoch's batches, from batch `start` on.

    lengths: of every example, to group like ones; None leaves the order random, or as it is without `shuffle`.
    sampler: gives the order instead, as numbers of `count` examples.
    """

    def __init__(
        self,
        count: int,
        *,
        size: int,
        rank: int,
        world: int,
        seed: int,
        shuffle: bool,
        lengths: Sequence[int] | None = None,
        whole: bool = False,
        sampler: Any = None,
    ) -> None:
        self.count, self.size, self.rank, self.world = count, size, rank, world
        self.seed, self.shuffle, self.lengths, self.whole = seed, shuffle, lengths, whole
        self.sampler = sampler
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return batches_of(self.count, self.size * self.world, self.whole)

    def rows(self) -> list[int]:
        """The examples in the order of this epoch."""
        if self.sampler is not None:
            if hasattr(self.sampler, "set_epoch"):
                self.sampler.set_epoch(self.epoch)
            with seeded(self.seed, self.epoch):
                return list(self.sampler)
        if not self.shuffle:
            if self.lengths is None:
                return list(range(self.count))
            return sorted(range(self.count), key=lambda row: -self.lengths[row])  # type: ignore[index]
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        rows = torch.randperm(self.count, generator=generator).tolist()
        return rows if self.lengths is None else by_length(rows, self.lengths, self.size * self.world)

    def batches(self) -> list[list[int]]:
        """The rows of each batch, of all processes together."""
        rows, together = self.rows(), self.size * self.world
        return [rows[number * together : (number + 1) * together] for number in range(len(self))]

    def __iter__(self) -> Iterator[tuple[int, int, list[int]]]:
        for number, rows in enumerate(self.batches()):
            if number >= self.start:
                yield self.epoch, number, share_of(rows, self.rank, self.world)


def batches_of(count: int, together: int, whole: bool) -> int:
    return count // together if whole else -(-count // together)


def share_of(rows: Sequence[int], rank: int, world: int) -> list[int]:
    """One process's part of a batch. All get equally many; where rows lack, the batch's own are taken again."""
    size = -(-len(rows) // world)
    return [rows[i % len(rows)] for i in range(rank * size, (rank + 1) * size)]


def by_length(rows: list[int], lengths: Sequence[int], batch: int) -> list[int]:
    """Within each run of 50 batches the longest first; the very longest begins, so that memory fails early."""
    size = batch * MEGABATCH
    runs = [sorted(rows[i : i + size], key=lambda row: -lengths[row]) for i in range(0, len(rows), size)]
    if runs:
        longest = max(range(len(runs)), key=lambda run: lengths[runs[run][0]])
        runs[0][0], runs[longest][0] = runs[longest][0], runs[0][0]
    return [row for run in runs for row in run]


def train_loader(
    dataset: Any, collate: Collator, args: Any, lengths: Sequence[int] | None, sampler: Any = None
) -> DataLoader:
    """Batches to train on: of a map-style dataset in the order of the sampler or of args.train_sampling_strategy, else
    as they come."""
    seed = args.seed if args.data_seed is None else args.data_seed
    size, rank, world = args.train_batch_size, args.process_index, args.world_size
    if not is_map_style(dataset):
        stream = BatchStream(dataset, collate, seed, size, rank, world, args.dataloader_drop_last)
        return _loader(stream, None, args)
    order = Order(
        len(dataset) if sampler is None else len(sampler),
        size=size,
        rank=rank,
        world=world,
        seed=seed,
        shuffle=args.train_sampling_strategy != "sequential",
        lengths=lengths,
        whole=args.dataloader_drop_last,
        sampler=sampler,
    )
    return _loader(Batches(dataset, collate, seed, rank), order, args)


def eval_loader(dataset: Any, collate: Collator, args: Any, lengths: Sequence[int] | None) -> DataLoader:
    """Batches to evaluate on, in the dataset's order; by length if `lengths` are given."""
    size, rank, world = args.eval_batch_size, args.process_index, args.world_size
    if not is_map_style(dataset):
        return _loader(BatchStream(dataset, collate, args.seed, size, rank, world, False), None, args)
    order = Order(
        len(dataset), size=size, rank=rank, world=world, seed=args.seed, shuffle=False, lengths=lengths, whole=False
    )
    return _loader(Batches(dataset, collate, args.seed, rank), order, args)


def is_map_style(dataset: Any) -> bool:
    if isinstance(dataset, IterableDataset):  # torch gives it a __getitem__ that only raises
        return False
    return hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")


def _loader(dataset: Any, order: Order | None, args: Any) -> DataLoader:
    workers = args.dataloader_num_workers
    on_accelerator = args.device.type not in ("cpu", "mps")
    return DataLoader(
        dataset,
        batch_size=None,  # an item is a whole batch
        sampler=order,
        num_workers=workers,
        pin_memory=args.dataloader_pin_memory and on_accelerator,
        persistent_workers=args.dataloader_persistent_workers and workers > 0,
        prefetch_factor=args.dataloader_prefetch_factor,
        multiprocessing_context=args.dataloader_multiprocessing_context if workers else None,
        generator=torch.Generator().manual_seed(args.seed),  # the loader's own draws leave the global one alone
    )


def begin_epoch(loader: Any, epoch: int, start: int) -> Iterator[Any]:
    """The batches of an epoch from number `start` on; those of a loader that is not ours are made and dropped.

    A dataset with set_epoch(epoch) may change from epoch to epoch, in all but its length.
    """
    if isinstance(loader, DataLoader) and isinstance(loader.sampler, Order):
        dataset = dataset_of(loader)
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        loader.sampler.epoch, loader.sampler.start = epoch, start
        return iter(loader)
    if isinstance(loader, DataLoader) and isinstance(loader.dataset, BatchStream):
        loader.dataset.place.copy_(torch.tensor([epoch, start]))
        return iter(loader)
    parts: list[Any] = [loader, getattr(loader, "sampler", None), getattr(loader, "dataset", None)]
    for part in parts:
        if hasattr(part, "set_epoch"):
            part.set_epoch(epoch)
    return itertools.islice(iter(loader), start, None)


def dataset_of(loader: Any) -> Any:
    """The user's dataset behind a loader, ours or another."""
    dataset = getattr(loader, "dataset", None)
    return dataset.dataset if isinstance(dataset, (Batches, BatchStream)) else dataset


def rows_in(loader: Any) -> int | None:
    """How many examples a loader goes through; of a stream this is known once its last batch was short."""
    stream = getattr(loader, "dataset", None)
    return int(stream.rows) or None if isinstance(stream, BatchStream) else length_of(dataset_of(loader))


def length_of(sized: Any) -> int | None:
    """len(), or None if it has none."""
    try:
        return len(sized)
    except (TypeError, NotImplementedError):
        return None
