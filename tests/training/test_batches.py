"""Batches depend on the seed, the epoch and their number alone: any process, worker or resumed run finds the same."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from nabi.training.batches import Batches, BatchStream, Order, begin_epoch, share_of, train_loader

from .tiny import quiet, rows


def order(count: int, **options: object) -> Order:
    usual: dict = {"size": 4, "rank": 0, "world": 1, "seed": 3, "shuffle": True}
    return Order(count, **{**usual, **options})


@given(count=st.integers(1, 60), size=st.integers(1, 9), world=st.integers(1, 4), epoch=st.integers(0, 3))
def test_the_processes_share_every_batch_of_the_one_process(count: int, size: int, world: int, epoch: int) -> None:
    whole = order(count, size=size * world)
    parts = [order(count, size=size, rank=rank, world=world) for rank in range(world)]
    for one in (whole, *parts):
        one.epoch = epoch
    assert len({len(one) for one in (whole, *parts)}) == 1
    for (_, number, together), *shares in zip(whole, *parts, strict=True):
        assert [share[1] for share in shares] == [number] * world
        assert len({len(share[2]) for share in shares}) == 1  # all do the same work
        joined = [row for share in shares for row in share[2]]
        assert joined[: len(together)] == together and set(joined) == set(together)
    assert sorted(whole.rows()) == list(range(count))


@given(count=st.integers(1, 60), start=st.integers(0, 20), grouped=st.booleans())
def test_a_run_that_starts_in_the_middle_goes_on_with_the_same_batches(count: int, start: int, grouped: bool) -> None:
    lengths = [1 + row * 7 % 11 for row in range(count)] if grouped else None
    whole, rest = order(count, lengths=lengths), order(count, lengths=lengths)
    rest.start = start
    assert list(rest) == list(whole)[start:]


def test_every_epoch_has_its_own_order_which_the_seed_decides() -> None:
    first, second, other = order(50), order(50), order(50, seed=9)
    second.epoch = 1
    assert len({tuple(one.rows()) for one in (first, second, other)}) == 3
    assert first.rows() == torch.randperm(50, generator=torch.Generator().manual_seed(3)).tolist()


def test_grouping_brings_like_lengths_together_and_begins_with_the_longest() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 1000).tolist()
    batches = order(1000, lengths=lengths).batches()
    spread = [max(lengths[row] for row in batch) - min(lengths[row] for row in batch) for batch in batches]
    random_spread = [
        max(lengths[row] for row in batch) - min(lengths[row] for row in batch) for batch in order(1000).batches()
    ]
    assert np.mean(spread) < np.mean(random_spread) / 20
    assert lengths[batches[0][0]] == max(lengths)


def test_what_a_collator_draws_is_its_batches_own_and_nobody_elses() -> None:
    def drawing(examples: list) -> tuple:
        return torch.rand(()).item(), random.random(), np.random.rand()

    batches = Batches(list(range(8)), drawing, seed=1)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = batches[0, 0, [1, 2]]
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert batches[0, 0, [1, 2]] == first
    assert len({first, batches[0, 1, [1, 2]], batches[1, 0, [1, 2]], Batches([], drawing, 2)[0, 0, []]}) == 4


def test_a_stream_is_shared_out_and_can_start_in_the_middle() -> None:
    parts = [BatchStream(range(11), list, 0, size=2, rank=rank, world=2, whole=False) for rank in range(2)]
    assert [list(part) for part in parts] == [[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 8]]]
    parts[0].place[1] = 2
    assert list(parts[0]) == [[8, 9]]
    whole = BatchStream(range(11), list, 0, size=4, rank=0, world=1, whole=True)
    assert list(whole) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_rows_that_lack_are_taken_from_the_same_batch() -> None:
    assert [share_of([5, 6, 7], rank, 2) for rank in range(2)] == [[5, 6], [7, 5]]
    assert [share_of([5], rank, 3) for rank in range(3)] == [[5], [5], [5]]


def test_a_loader_of_ones_own_is_wound_on(tmp_path) -> None:
    args = quiet(tmp_path, per_device_train_batch_size=4)
    own = train_loader(rows(12), lambda examples: [one["labels"] for one in examples], args, None)
    assert list(begin_epoch(own, 0, 1)) == list(begin_epoch(own, 0, 0))[1:]
    other = torch.utils.data.DataLoader(range(6), batch_size=2)
    assert [batch.tolist() for batch in begin_epoch(other, 0, 2)] == [[4, 5]]


def test_a_dataset_that_changes_by_the_epoch_is_told_which_one_begins() -> None:
    class Told(list):
        def set_epoch(self, epoch: int) -> None:
            self[:] = [epoch] * 4

    loader = train_loader(Told([-1] * 4), list, quiet(Path("unused"), per_device_train_batch_size=2), None)
    assert [list(begin_epoch(loader, epoch, start)) for epoch, start in ((0, 0), (5, 1))] == [[[0, 0]] * 2, [[5, 5]]]
