"""`nabi convert`: a checkpoint written anew as safetensors, and what that changed as a small table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .messages import say
from .results import columns
from .run import Problem

NAMES_SHOWN = 4


def convert(
    source: str, target: str, *, dtype: str | None, max_shard_size: str, overwrite: bool, **options: Any
) -> None:
    from ..hub import HubUnreachable, Repository

    if not source.strip():  # which would be the current folder
        raise Problem(say("no_source", name=source), code=1)
    if not target.strip():
        raise ValueError("the target is empty: name a folder to write into, or . for the current one")
    try:
        Repository.open(source, {})  # find a mistyped folder before torch is loaded, which takes seconds
    except OSError as error:
        raise Problem(say("no_source", name=source), code=1) from error

    from ..checkpoint import size_in_bytes
    from ..conversion import ALL_IN_ONE, DTYPES, MissingLibrary, convert_checkpoint, held_checkpoint

    if dtype is not None and dtype not in DTYPES:
        raise Problem(say("unknown_dtype", name=dtype, known=", ".join(DTYPES)))
    try:
        if max_shard_size != ALL_IN_ONE:
            size_in_bytes(max_shard_size)
    except ValueError as error:
        raise Problem(say("bad_size", size=max_shard_size)) from error
    held = held_checkpoint(Path(target).expanduser())
    if held and not overwrite:
        raise Problem(say("target_held", target=target, file=held), code=1)
    bar = Bar()
    try:
        done = convert_checkpoint(
            source,
            target,
            dtype=dtype,
            max_shard_size=max_shard_size,
            overwrite=overwrite,
            progress=bar.show,
            **options,
        )
    except MissingLibrary as error:
        raise Problem(say("lacks_library", library=error.library, file=error.file), code=1) from error
    except HubUnreachable as error:
        raise Problem(say("not_reached", name=source, reason=error), code=1) from error
    finally:
        bar.close()
    print(table(done))
    for key, names in (("tied_left_out", done.tied), ("unused_left_out", done.unused)):
        if names:
            shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
            print(say(key, names=shown))
    print(say("checked_cast", target=target, dtype=dtype) if dtype else say("checked", target=target))


def table(done: Any) -> str:
    """Rows of what is counted, before and after."""
    rows = [
        ("", say("before"), say("after")),
        (say("files"), *map(files, done.files)),
        (say("weights"), *(f"{count:,}" for count in done.weights)),
        (say("parameters_row"), *(f"{count:,}" for count in done.parameters)),
        ("dtype", *(", ".join(names) for names in done.dtypes)),
        (say("size"), *map(size, done.bytes)),
    ]
    widths = [max(columns(row[i]) for row in rows) for i in range(3)]
    lines = [
        "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def files(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … ({say('files_counted', count=len(names))})"


def size(count: int) -> str:
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


class Bar:
    """A bar for people who wait: a second in, in a terminal."""

    def __init__(self) -> None:
        self.bar: Any = None

    def show(self, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            return
        if self.bar is None:
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="B", unit_scale=True, delay=1.0, file=sys.stderr, desc=say("reading"))
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
