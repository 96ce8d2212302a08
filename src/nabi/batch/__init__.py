"""A pipeline over a whole file or dataset, in flat memory, that can be interrupted at any moment and gone on with.

    nabi.batch.run("reviews.csv", "sentiment-analysis", column="review", out="labels.jsonl")
    nabi.batch.run(dataset, "summarization", model="my-model", out="summaries.csv", engine="ray")

Every record gives one record, in its order. Of one that cannot be worked on the error stands in it, and the job goes
on.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..data.records import Record
    from ..pipelines.base import Pipeline
    from .items import Items
    from .local import Answered
    from .results import Output

__all__ = ["Report", "run"]


@dataclass(frozen=True)
class Report:
    """What a job did: the records that are in the file now, those of them that were there before, and those of this
    run that could not be worked on."""

    path: Path
    records: int
    resumed: int
    failed: int


def run(
    source: Any,
    task: str | Pipeline,
    *,
    model: Any = None,
    out: str | os.PathLike[str] | None = None,
    engine: Literal["local", "ray"] = "local",
    column: str | Sequence[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    **settings: Any,
) -> Any:
    """Run a task over all records of a source.

    source: the path of a file (.csv or .tsv with a header, .jsonl, or one item a line), or a list, generator, dataset
        or pandas table of texts or dicts. Paths and URLs stand for images and audio.
    task: its name, or a pipeline that was made before. model and settings: as `pipeline` takes them.
    out: a .jsonl or .csv file, to which results are appended as they come; the job's Report is returned.
        Without it an iterator of the output records is returned.
    column: the name of the column to read, or the names in the order of the task's parts (question, context); left
        out, the part's own name, or the only column. fixed: parts that are the same for all, as {"context": "…"}.
    resume: go on with an `out` that an interrupted job left, its half-written last record cut off. overwrite: begin it
        anew.
    engine: "local", in this process; "ray", on `workers` actors of a Ray cluster (`pip install "nabi[ray]"`).
    progress: whether a bar shows how far it is; None: in a terminal and a notebook.

    ValueError, TypeError or OSError for what concerns the whole job: a column that is not there, a file that is.
    """
    from .items import NEEDED, Items
    from .results import Output

    if engine not in ("local", "ray"):
        raise ValueError(f"engine is {engine!r}; expected 'local' or 'ray'")
    if out is None and (resume or overwrite):
        raise ValueError(f"{'resume' if resume else 'overwrite'} concerns the file of results: name it with out=…")
    if workers is not None and engine != "ray":
        raise ValueError("workers belong to the engine 'ray'; the local engine works in this process")
    if not isinstance(task, str) and (model is not None or settings or batch_size is not None):
        raise ValueError("a pipeline was given, so model, batch_size and settings are its own: leave them out")
    items = Items.of(task if isinstance(task, str) else task.task, column, fixed)
    if isinstance(task, str) and items.task in NEEDED and not settings.get(NEEDED[items.task]):
        raise ValueError(f"{items.task} needs {NEEDED[items.task]}, as in {NEEDED[items.task]}=['one', 'another']")
    if out is not None and is_same_file(source, out):
        raise ValueError(f"{os.fspath(out)!r} is what the job reads: name another file for what it writes")
    job = Job(source, task, model, {**settings, "batch_size": batch_size}, items, engine, workers)
    output = None if out is None else Output(out, items.task, resume=resume, overwrite=overwrite)
    answers, bytes_before = job.start(output)
    if output is None:
        return itertools.chain.from_iterable(each.records for each in answers)
    records, failed = output.count, 0
    with output:
        for answered in watched(answers, job, output.count, bytes_before, progress):
            output.write(answered.records)
            records += len(answered.records)
            failed += answered.failed
    return Report(output.path, records, output.count, failed)


@dataclass(frozen=True)
class Job:
    """What `run` was asked for, checked."""

    source: Any
    task: str | Pipeline
    model: Any
    settings: Mapping[str, Any]
    items: Items
    engine: str
    workers: int | None

    def start(self, output: Output | None) -> tuple[Iterator[Answered], int]:
        """The answers that are yet to come, and how many bytes of the source lie before them.

        Nothing is loaded where nothing is left to do."""
        from ..data.records import read_records
        from .local import answered, chunk_size, chunks, written_before

        size = chunk_size(self.items.task, self.kind(), self.batch_size())
        records = read_records(self.source, self.items.main_part)
        first: list[Record] = []  # up to one that tells the columns
        for record in records:
            first.append(record)
            if not record.problem or len(first) == size:
                break
        items = self.items.settled(first[-1].fields) if first and not first[-1].problem else self.items
        records = itertools.chain(first, records)
        begun, bytes_before = written_before(records, output, size) if output is not None else ([], 0)
        left = chunks(records, size, begun)
        chunk = next(left, None)
        if chunk is None:
            return iter(()), bytes_before
        if self.engine == "ray":
            from .on_ray import answered_on_ray

            before = (output.count if output is not None else 0) - len(begun)
            return answered_on_ray(replace(self, items=items), size, before, len(begun)), bytes_before
        return answered(self.load(), items, itertools.chain([chunk], left)), bytes_before

    def kind(self) -> type[Pipeline]:
        from ..pipelines.tasks import find_task

        return find_task(self.task).load_class() if isinstance(self.task, str) else type(self.task)

    def batch_size(self) -> int | None:
        size: int | None = self.settings["batch_size"] if isinstance(self.task, str) else self.task.batch_size
        return size

    def load(self) -> Pipeline:
        """The pipeline, made here and now unless it was given."""
        from ..pipelines import pipeline

        if not isinstance(self.task, str):
            return self.task
        made: Pipeline = pipeline(self.task, model=self.model, **self.settings)
        return made


def is_same_file(source: Any, out: str | os.PathLike[str]) -> bool:
    if not isinstance(source, (str, os.PathLike)):
        return False
    try:
        return os.path.samefile(source, out)
    except OSError:
        return False


def watched(
    answers: Iterator[Answered], job: Job, records: int, bytes_read: int, wanted: bool | None
) -> Iterator[Answered]:
    """The same answers, and a bar beside them if it is wanted, in bytes of a file or in records."""
    from ..pipelines.progress import in_notebook

    if wanted is False or (wanted is None and not (sys.stderr.isatty() or in_notebook())):
        yield from answers
        return
    from tqdm.auto import tqdm

    of_file = isinstance(job.source, (str, os.PathLike))
    total = os.path.getsize(job.source) if of_file else len(job.source) if hasattr(job.source, "__len__") else None
    unit = {"unit": "B", "unit_scale": True} if of_file else {"unit": " records"}
    with tqdm(
        total=total, initial=bytes_read if of_file else records, desc=job.items.task, file=sys.stderr, **unit
    ) as bar:
        for each in answers:
            yield each
            bar.update(each.bytes_read if of_file else len(each.records))
