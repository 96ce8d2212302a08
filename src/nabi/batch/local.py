"""A job's records in chunks, and a chunk's answers: the part that every engine shares, and the engine that is here.

A chunk always holds the same records, whatever was done before it and wherever it runs. So a job that was interrupted,
or that other machines did, writes the same bytes: even the last digit of a score, which depends on what runs together.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ..data.records import Record
from ..pipelines.base import Pipeline
from ..pipelines.tasks import find_task
from .items import Items, Unusable
from .results import Output, output_record

SMALL_MODEL = 5_000_000  # parameters besides the embeddings
BATCHES_A_CHUNK = 16  # which are sorted by length together
GENERATING = frozenset("text-generation text2text-generation summarization translation conversational".split())


@dataclass(frozen=True)
class Chunk:
    """Records that run together. The first `done` of them are written already, and only lend their company."""

    records: list[Record]
    done: int = 0

    @property
    def bytes_read(self) -> int:
        return sum(record.bytes_read for record in self.records[self.done :])


@dataclass(frozen=True)
class Answered:
    """The output records of a chunk, without those done before, and how many of them tell of an error."""

    records: list[dict[str, Any]]
    failed: int
    bytes_read: int


def chunk_size(task: str, kind: type[Pipeline], batch_size: int | None) -> int:
    """How many records run together: batches of short work, one batch of long work, lest an interruption undo much."""
    found = find_task(task)
    long_work = found.name in GENERATING or found.kind != "text"
    return (batch_size or kind.usual_batch_size) * (1 if long_work else BATCHES_A_CHUNK)


def chunks(records: Iterator[Record], size: int, before: list[Record]) -> Iterator[Chunk]:
    """The records in chunks. before: those of the first chunk that were read and written already."""
    done = len(before)
    while True:
        together = [*before, *itertools.islice(records, size - len(before))]
        if len(together) == done:
            return
        yield Chunk(together, done)
        before, done = [], 0


def written_before(records: Iterator[Record], output: Output, size: int) -> tuple[list[Record], int]:
    """Read past the records that the output holds. Returns those of them whose chunk is not done, and all their bytes.

    ValueError if the output was made of other records.
    """
    begun: list[Record] = []
    bytes_read = 0
    for number, written in enumerate(output.kept()):
        record = next(records, None)
        if record is None or not output.holds(written, record.fields):
            which = "there is no such record" if record is None else f"that one is {shortened(record.fields)}"
            raise ValueError(
                f"record {number + 1} of {output.path.name} is {shortened(written)}, but in the source {which}: "
                "the job that is to be resumed had another source. Name another file, or write this one anew."
            )
        begun = [] if number % size == 0 else begun
        begun.append(record)
        bytes_read += record.bytes_read
    return ([] if len(begun) == size else begun), bytes_read


def shortened(fields: Any) -> str:
    said = str(fields)
    return said if len(said) <= 100 else f"{said[:99]}…"


def answer(pipe: Pipeline, items: Items, chunk: Chunk) -> Answered:
    """The chunk through the pipeline."""
    pairs = list(zip(chunk.records, results_for(pipe, items, chunk.records), strict=True))[chunk.done :]
    return Answered(
        [output_record(record.fields, items.task, result) for record, result in pairs],
        sum(isinstance(result, Exception) for _, result in pairs),
        chunk.bytes_read,
    )


def results_for(pipe: Pipeline, items: Items, records: list[Record]) -> list[Any]:
    """The result of each record. What goes wrong with one stands in its place, and the others go on."""
    results: list[Any] = []
    for record in records:
        try:
            results.append(items.item_of(record))
        except Unusable as error:
            results.append(error)
    usable = [place for place, item in enumerate(results) if not isinstance(item, Unusable)]
    for place, result in zip(usable, results_of(pipe, [results[place] for place in usable]), strict=True):
        results[place] = result
    return results


def results_of(pipe: Pipeline, items: list[Any]) -> list[Any]:
    """Results and exceptions in order. What fails together is tried one by one; what fails with every item alike is
    no item's fault, and is raised."""
    if not items:
        return []
    try:
        # Some pipelines give a list of one item back as that item; an iterator of one they do not.
        return list(pipe(items if len(items) > 1 else iter(items), on_error="return", progress=False))
    except Exception as error:
        if len(items) == 1:
            return [error]
        results = [results_of(pipe, [item])[0] for item in items]
        if all(isinstance(result, Exception) and str(result) == str(error) for result in results):
            raise
        return results


def answered(pipe: Pipeline, items: Items, source: Iterator[Chunk]) -> Iterator[Answered]:
    """The engine "local": chunk after chunk in this process."""
    for chunk in source:
        threads = torch.get_num_threads()
        torch.set_num_threads(fitting_threads(pipe))
        try:
            each = answer(pipe, items, chunk)
        finally:
            torch.set_num_threads(threads)
        yield each


def fitting_threads(pipe: Pipeline) -> int:
    """One thread for a small model: handing out its little work costs more than it saves, most on a busy machine."""
    if pipe.device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        count = getattr(pipe.model, "num_parameters", None)
        if count is not None and count(exclude_embeddings=True) < SMALL_MODEL:
            return 1
    return torch.get_num_threads()
