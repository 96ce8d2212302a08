"""`nabi run`: texts through the pipeline of a task, each result printed as soon as it is there."""

from __future__ import annotations

import difflib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, BinaryIO

from . import lines, results
from .lines import Line
from .messages import say

FIRST_LINES, MOST_LINES = 32, 1024  # how many lines run together at first, and at most
SMALL_MODEL = 5_000_000  # parameters besides the embeddings


class Problem(Exception):
    """Why the command cannot be done, in the user's language; code 2 if the command itself is wrong."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Options:
    model: str | None = None
    revision: str | None = None
    device: str | None = None
    batch_size: int | None = None
    top_k: int | None = None
    truncate: bool = False
    offline: bool = False
    json: bool = False


def run(task: str, texts: list[str], file: Path | None, options: Options) -> int:
    """Print a result per text. Returns the exit code: 1 if there was none, or if any text could not be used."""
    check_task(task)
    if texts and file is not None:
        raise Problem(say("texts_and_file"))
    if options.model is not None:
        check_model(options.model)
    with source_of(texts, file) as (source, name, size):
        pipe = make_pipeline(task, options)
        return print_results(pipe, source, name, size, options)


def check_task(task: str) -> None:
    from ..pipelines.tasks import ALIASES, TASKS

    known = sorted([*TASKS, *ALIASES])
    if task not in known:
        near = difflib.get_close_matches(task, known, n=1)
        hint = say("did_you_mean", name=near[0]) if near else ""
        raise Problem(say("unknown_task", name=task, hint=hint, tasks=", ".join(known)))


def check_model(name: str) -> None:
    """Find a mistyped folder before torch is loaded, which takes seconds."""
    from ..hub import Repository

    try:
        Repository.open(name, {})
    except OSError as error:
        raise Problem(say("no_model", name=name), code=1) from error


@contextmanager
def source_of(texts: list[str], file: Path | None) -> Iterator[tuple[Iterator[Line], str, int | None]]:
    """The lines, the name of where they come from, and its size in bytes (0: small, None: unknown)."""
    if texts:
        yield lines.of_arguments(texts), "", 0
    elif file is not None and str(file) != "-":
        try:
            stream = file.open("rb", buffering=lines.LOOK_AHEAD_BYTES)
        except OSError as error:
            raise Problem(say("no_file", path=str(file), reason=error.strerror or error)) from error
        with stream:
            yield lines.of_stream(stream, file.name), file.name, os.fstat(stream.fileno()).st_size
    else:
        if sys.stdin.isatty():
            print(say("keyboard", key="Ctrl-Z, Enter" if os.name == "nt" else "Ctrl-D"), file=sys.stderr)
        name = say("standard_input")
        yield lines.of_stream(standard_input(), name), name, None


def standard_input() -> BinaryIO:
    """Standard input on its own: Python's object must not be in a thread's hands when the interpreter ends."""
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:  # it has no file, as in a test or a notebook
        return sys.stdin.buffer


def make_pipeline(task: str, options: Options) -> Any:
    from ..hub import HubUnreachable
    from ..pipelines import pipeline
    from ..pipelines.tasks import find_task

    device = options.device
    settings: dict[str, Any] = {}
    if options.truncate:
        settings["truncation"] = True
    if options.top_k is not None:
        settings["top_k"] = options.top_k
    try:
        pipe = pipeline(
            task,
            model=options.model or find_task(task).default.embedded,
            revision=options.revision,
            device=int(device) if device is not None and device.lstrip("-").isdigit() else device,
            batch_size=options.batch_size,
            model_kwargs={"local_files_only": True} if options.offline else {},
            **settings,
        )
    except HubUnreachable as error:
        raise Problem(say("not_reached", name=options.model, reason=error), code=1) from error
    choose_threads(pipe)
    return pipe


def choose_threads(pipe: Any) -> None:
    """One thread for a small model: handing out its little work costs more than it saves, most on a busy machine."""
    if pipe.device.type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return
    if pipe.model.num_parameters(exclude_embeddings=True) < SMALL_MODEL:
        import torch

        torch.set_num_threads(1)


def print_results(pipe: Any, source: Iterable[Line], name: str, size: int | None, options: Options) -> int:
    width = results.label_width(pipe.model.config.id2label.values())
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"  # so JSON loses no letter either
    blank = answered = failed = 0
    with progress(size) as (advance, write):
        for window in windows(source):
            lines_ = [line for line in window if line.problem or line.text.strip()]
            blank += len(window) - len(lines_)
            answers = pipe([None if line.problem else line.text for line in lines_], on_error="return")
            for line, result in zip(lines_, answers, strict=True):
                answered += 1
                if isinstance(result, Exception):
                    failed += 1
                    result = line.problem or explained(result)
                    print(say("error", message=f"{line.place}: {result}"), file=sys.stderr, flush=True)
                if options.json:
                    write(results.as_json(line.text, result, ascii_only=ascii_only))
                elif not isinstance(result, str):
                    write(results.as_text(line.text, result, width))
            advance(sum(line.bytes_read for line in window))
    if blank and answered:
        print(say("blank_lines", count=blank), file=sys.stderr)
    if not answered:
        print(say("error", message=say("no_texts", name=name)), file=sys.stderr)
    return int(failed > 0 or not answered)


def windows(source: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines to run together: those that are there already, at least one, and at most a second's work.

    A thread reads them, so a source that waits for its answers, as a terminal does, gets each one at once.
    """
    queue: Queue[Line | Exception | None] = Queue(maxsize=MOST_LINES)
    Thread(target=fill, args=(queue, source), daemon=True).start()
    most = FIRST_LINES
    while (line := wait_for(queue)) is not None:
        window: list[Line] = []
        while isinstance(line, Line):
            window.append(line)
            if len(window) == most or queue.empty():
                break
            line = queue.get()
        began = time.perf_counter()
        yield window
        if isinstance(line, Exception):
            raise line
        if len(window) == most:
            a_seconds_work = int(len(window) / max(time.perf_counter() - began, 1e-6))
            most = max(1, min(2 * most, a_seconds_work, MOST_LINES))
        if line is None:
            return


def fill(queue: Queue[Line | Exception | None], source: Iterable[Line]) -> None:
    try:
        for line in source:
            queue.put(line)
        queue.put(None)
    except Exception as error:
        queue.put(error)


def wait_for(queue: Queue[Line | Exception | None]) -> Line | Exception | None:
    """The next one. Waiting with pauses, for Windows lets no Ctrl-C through an endless wait."""
    while True:
        try:
            return queue.get(timeout=0.5)
        except Empty:
            continue


def explained(error: Exception) -> str:
    """The reason, without its number in the pipeline; that of a text too long with this command's remedy."""
    reason = str(error.__cause__ or error)
    too_long = re.match(r"the text has (\d+) tokens, but the model knows (\d+) positions", reason)
    return say("too_long", tokens=too_long[1], most=too_long[2]) if too_long else reason


@contextmanager
def progress(size: int | None) -> Iterator[tuple[Callable[[int], object], Callable[[str], object]]]:
    """Ways to advance a bar and to print a line; the bar is for people who wait, so a second in, in a terminal."""

    def write(line: str) -> None:
        print(line, flush=True)

    if size == 0 or not sys.stderr.isatty() or (size is None and sys.stdin.isatty()):
        yield lambda _: None, write
        return
    from tqdm import tqdm

    with tqdm(total=size, unit="B", unit_scale=True, delay=1.0, file=sys.stderr) as bar:

        def write_beside_bar(line: str) -> None:
            bar.write(line, file=sys.stdout)
            sys.stdout.flush()

        yield bar.update, write_beside_bar if sys.stdout.isatty() else write
