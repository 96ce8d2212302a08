"""`nabi run`: items through the pipeline of a task, each result printed as soon as it is there, or all to a file."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from . import lines
from .lines import Line
from .messages import say
from .options import Options, Problem, check_options
from .printing import print_as_it_comes, print_results, wants_stream

if TYPE_CHECKING:
    from ..batch.items import Items

COLUMNED = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def run(task: str, texts: list[str], file: Path | None, options: Options) -> int:
    """Print a result per item, or write them to a file. Returns the exit code: 1 if there was none, or if any item
    could not be used."""
    check_task(task)
    check_options(texts, file, options)
    items = items_of(task, options)
    if options.model is not None:
        check_model(options.model)
    with source_of(texts, file, items) as (source, name, size):
        if options.out is not None:
            return write_results(task, file if size and file is not None else source, items, options)
        pipe = make_pipeline(task, options)
        if len(texts) == 1 and wants_stream(pipe, options):
            return print_as_it_comes(pipe, next(source), options)
        return print_results(pipe, source, name, size, items, options)


def check_task(task: str) -> None:
    from ..pipelines.tasks import ALIASES, TASKS, find_task

    try:
        find_task(task)
    except KeyError:
        known = sorted([*TASKS, *ALIASES])
        near = difflib.get_close_matches(task, known, n=1)
        hint = say("did_you_mean", name=near[0]) if near else ""
        raise Problem(say("unknown_task", name=task, hint=hint, tasks=", ".join(known))) from None


def items_of(task: str, options: Options) -> Items:
    """How records become items; a mistake in what the task takes is told before a model is loaded."""
    from ..batch.items import NEEDED, Items

    fixed = {"question": options.question, "context": options.context}
    if options.question is not None and "question" not in Items(find_name(task)).parts:
        fixed["text"] = fixed.pop("question")  # what a model that reads an image and a text is asked
    try:
        items = Items.of(task, options.column or None, {part: text for part, text in fixed.items() if text is not None})
    except ValueError as error:
        raise Problem(str(error)) from error
    needed = NEEDED.get(items.task)
    if needed is not None and not options.settings().get(needed):
        raise Problem(say("needs_setting", task=task, name=f"--{needed.replace('_', '-')}"))
    return items


def find_name(task: str) -> str:
    from ..pipelines.tasks import find_task

    return find_task(task).name


def check_model(name: str) -> None:
    """Find a mistyped folder before torch is loaded, which takes seconds."""
    from ..hub import Repository

    try:
        Repository.open(name, {})
    except OSError as error:
        raise Problem(say("no_model", name=name), code=1) from error


@contextmanager
def source_of(texts: list[str], file: Path | None, items: Items) -> Iterator[tuple[Iterator[Line], str, int | None]]:
    """The lines, the name of where they come from, and its size in bytes (0: small, None: unknown)."""
    from ..data.records import read_stream

    open_parts = [part for part in items.parts if part not in items.fixed]
    if texts:
        arguments = lines.of_arguments(texts)
        yield iter([of_parts(list(arguments), open_parts)]) if len(open_parts) > 1 else arguments, "", 0
    elif file is not None and str(file) != "-":
        try:
            stream = file.open("rb", buffering=lines.LOOK_AHEAD_BYTES)
        except OSError as error:
            raise Problem(say("no_file", path=str(file), reason=error.strerror or error)) from error
        with stream:
            if file.suffix.lower() in COLUMNED:
                source = lines.of_records(read_stream(stream, file.name, items.main_part), file.name)
            else:
                source = lines.of_stream(stream, file.name)
            yield source, file.name, os.fstat(stream.fileno()).st_size
    else:
        if sys.stdin.isatty():
            print(say("keyboard", key="Ctrl-Z, Enter" if os.name == "nt" else "Ctrl-D"), file=sys.stderr)
        name = say("standard_input")
        yield lines.of_stream(standard_input(), name), name, None


def of_parts(texts: list[Line], parts: list[str]) -> Line:
    """The one item that texts of the command line make, a part each; the last part takes what is left if it can."""
    many = parts[-1] == "sentences"
    if len(texts) < len(parts) or (len(texts) > len(parts) and not many):
        raise Problem(say("parts_of_item", parts=", ".join(part.replace("_", " ") for part in parts), count=len(texts)))
    problem = next((line.problem for line in texts if line.problem), "")
    values: list[Any] = [line.text for line in texts]
    if many:
        values[len(parts) - 1 :] = [values[len(parts) - 1 :]]
    return Line("", texts[0].place, problem, fields=dict(zip(parts, values, strict=True)))


def standard_input() -> BinaryIO:
    """Standard input on its own: Python's object must not be in a thread's hands when the interpreter ends."""
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:  # it has no file, as in a test or a notebook
        return sys.stdin.buffer


def make_pipeline(task: str, options: Options) -> Any:
    from ..pipelines import pipeline

    with model_reached(task, options):
        pipe = pipeline(task, **options.loading(task))
    if pipe.device.type == "cpu":
        import torch

        from ..batch.local import fitting_threads

        torch.set_num_threads(fitting_threads(pipe))
    return pipe


@contextmanager
def model_reached(task: str, options: Options) -> Iterator[None]:
    """An unreachable Hub is told with the model's name."""
    from ..hub import HubUnreachable
    from ..pipelines.tasks import find_task

    try:
        yield
    except HubUnreachable as error:
        default = find_task(task).default
        name = options.model or (default.name if default is not None else task)
        raise Problem(say("not_reached", name=name, reason=error), code=1) from error


def write_results(task: str, source: Path | Iterable[Line], items: Items, options: Options) -> int:
    """The job of a whole file: results go to another file, a bar says how far it is."""
    from ..batch import run as run_job
    from ..data.records import Record

    assert options.out is not None
    records: Any = source
    if not isinstance(source, Path):
        records = (
            Record(line.fields or {items.main_part: line.text}, number, line.problem)
            for number, line in enumerate(source, 1)
            if not line.is_blank
        )
    try:
        with model_reached(task, options):
            report = run_job(
                records,
                task,
                out=options.out,
                resume=options.resume,
                overwrite=options.overwrite,
                column=items.columns,
                fixed=items.fixed,
                engine="ray" if options.engine == "ray" else "local",
                workers=options.workers,
                **options.loading(task),
            )
    except KeyboardInterrupt:
        print(say("interrupted", path=options.out), file=sys.stderr)
        raise
    if report.resumed:
        print(say("resumed", count=report.resumed), file=sys.stderr)
    print(say("written", count=report.records, path=options.out), file=sys.stderr)
    if report.failed:
        print(say("written_errors", count=report.failed), file=sys.stderr)
    return int(report.failed > 0 or not report.records)
