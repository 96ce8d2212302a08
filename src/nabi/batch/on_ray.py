"""The same job on a Ray cluster: shards, retries and back pressure are Ray Data's, the pipeline is ours.

A row of the data set is a chunk of records, so what runs together does not depend on Ray. Ray keeps the rows in order,
gives a chunk whose worker was lost to another one, and reads no further ahead than its memory allows.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import pickle
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..data.records import read_records
from .local import Answered, answer, chunks

if TYPE_CHECKING:
    from ..pipelines.base import Pipeline
    from . import Job


def answered_on_ray(job: Job, size: int, before: int, done: int) -> Iterator[Answered]:
    """before: how many records lie before the first chunk; done: how many of that chunk are written."""
    try:
        import ray
        import ray.data.block
    except ImportError as error:
        raise ImportError('The engine "ray" needs Ray Data, which is not installed: pip install "nabi[ray]"') from error
    if isinstance(job.source, Iterator):
        raise TypeError(
            f"a {type(job.source).__name__} cannot be sent to Ray's workers: give a file that they can read, a list or "
            'a dataset, or engine="local"'
        )
    job = dataclasses.replace(job, source=absolute(job.source), model=absolute(job.model))
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    cluster = ray.cluster_resources()
    on_gpu = bool(cluster.get("GPU")) and not str(job.settings.get("device", "")).startswith(("cpu", "-"))
    most = job.workers or int(cluster.get("GPU" if on_gpu else "CPU", 1)) or 1
    chunks_read = ray.data.read_datasource(
        source_of_chunks(ray, job, size, before, done),
        override_num_blocks=1,
        num_cpus=0,  # reading is little work, and must not wait for a place of those who wait for it
    )
    context = chunks_read.context
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # each chunk is a block of its own, and so a task of its own
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    answers = chunks_read.map(
        Worker,
        fn_constructor_args=(dataclasses.replace(job, source=None),),
        compute=ray.data.ActorPoolStrategy(min_size=job.workers or 1, max_size=most),
        num_cpus=0 if on_gpu else 1,
        num_gpus=int(on_gpu),
    )
    for row in answers.iter_rows():
        answered = pickle.loads(row["answered"])
        if isinstance(answered, Exception):
            raise answered
        yield answered


def absolute(path: Any) -> Any:
    """A path as workers find it, which have a folder of their own; anything else as it is."""
    return os.path.abspath(path) if isinstance(path, (str, os.PathLike)) and os.path.exists(path) else path


class Worker:
    """What Ray starts on each of its actors: the pipeline, loaded once, and chunk after chunk through it.

    An error that ends the job comes back as what it is: Ray itself would wrap it, or try again.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pipe: Pipeline | None = None

    def __call__(self, row: Mapping[str, Any]) -> dict[str, bytes]:
        try:
            self.pipe = self.pipe or self.job.load()
            return {"answered": pickle.dumps(answer(self.pipe, self.job.items, pickle.loads(row["chunk"])))}
        except Exception as error:
            kinds = (OSError, ValueError, TypeError, Exception)  # which can be pickled, whatever the error is
            kind: type[Exception] = next(kind for kind in kinds if isinstance(error, kind))
            return {"answered": pickle.dumps(kind(str(error)))}


def source_of_chunks(ray: Any, job: Job, size: int, before: int, done: int) -> Any:
    """The job's source as Ray Data's: one task that reads, and gives a block for each chunk."""
    import pyarrow

    def blocks() -> Iterator[Any]:
        records = itertools.islice(read_records(job.source, job.items.main_part), before, None)
        for chunk in chunks(records, size, list(itertools.islice(records, done))):
            yield pyarrow.table({"chunk": [pickle.dumps(chunk)]})

    class Records(ray.data.Datasource):  # type: ignore[misc]
        def estimate_inmemory_data_size(self) -> None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            unknown = ray.data.block.BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ray.data.ReadTask(blocks, unknown)]

    return Records()
