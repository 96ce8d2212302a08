"""The results of `nabi run` as they come: a window of lines through the pipeline, a line or a few for each, a bar."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from . import results
from .lines import Line
from .messages import say
from .options import Options, Problem

if TYPE_CHECKING:
    from ..batch.items import Items

FIRST_LINES, MOST_LINES = 32, 1024  # how many lines run together at first, and at most


def wants_stream(pipe: Any, options: Options) -> bool:
    """Whether a person sees the text of a single prompt grow: in a terminal, and where one text is written."""
    if pipe.task != "text-generation" or options.json or not sys.stdout.isatty():
        return False
    given, usual = options.settings(), pipe.model.generation_config
    several = (given.get(name, getattr(usual, name, None)) or 1 for name in ("num_beams", "num_return_sequences"))
    return all(count == 1 for count in several)


def print_as_it_comes(pipe: Any, line: Line, options: Options) -> int:
    from ..generation.streaming import TextStreamer

    class Harmless(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            shown = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
            print(shown, end="\n" if stream_end else "", flush=True)

    if line.problem:
        raise Problem(f"{line.place}: {line.problem}", code=1)
    full = options.settings().get("return_full_text", True)
    pipe(line.text, streamer=Harmless(pipe.tokenizer, skip_prompt=not full, skip_special_tokens=True))
    return 0


def print_results(
    pipe: Any, source: Iterable[Line], name: str, size: int | None, items: Items, options: Options
) -> int:
    from ..batch.local import results_for
    from ..data.records import Record

    width = results.label_width(pipe.model.config.id2label.values()) if items.task == "text-classification" else 0
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"  # so JSON loses no letter either
    blank = answered = failed = 0
    told = False  # whether a record has told the columns
    with progress(size) as (advance, write):
        for window in windows(source):
            lines_ = [line for line in window if not line.is_blank]
            blank += len(window) - len(lines_)
            good = next((line for line in lines_ if not line.problem), None)
            if good is not None and not told:
                items, told = items.settled(fields_of(good, items)), True
            records = [Record(fields_of(line, items), number, line.problem) for number, line in enumerate(lines_)]
            for line, result in zip(lines_, results_for(pipe, items, records), strict=True):
                answered += 1
                fields = fields_of(line, items)
                if isinstance(result, Exception):
                    failed += 1
                    result = ValueError(line.problem or explained(result))
                    print(say("error", message=f"{line.place}: {result}"), file=sys.stderr, flush=True)
                if options.json:
                    write(results.as_json(fields, items.task, result, ascii_only=ascii_only))
                elif not isinstance(result, Exception):
                    write(results.as_text(items.task, shown(fields, items), result, width, items.sentences_of(fields)))
            advance(sum(line.bytes_read for line in window))
    if blank and answered:
        print(say("blank_lines", count=blank), file=sys.stderr)
    if not answered:
        print(say("error", message=say("no_texts", name=name)), file=sys.stderr)
    return int(failed > 0 or not answered)


def fields_of(line: Line, items: Items) -> dict[str, Any]:
    return line.fields or {items.main_part: line.text}


def shown(fields: dict[str, Any], items: Items) -> str:
    """What stands beside a result, to say whose it is."""
    column = items.columns_of(fields)
    part = next((part for part in ("question", *column) if part in column), None)
    value = fields.get(column[part], "") if part is not None else ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


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
