"""The rows that `nabi train` learns from: read, some set aside for evaluation, and their columns found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data.columns import guess_columns
from ...data.load import load_data
from ...data.rows import Rows
from ...data.splits import files_of
from ..messages import say
from ..options import Problem
from .options import TrainOptions


@dataclass(frozen=True)
class TrainData:
    """The rows with the names of their roles; where the evaluation's are from; which column played which role."""

    task: str
    columns: dict[str, str]
    train: Rows
    eval: Rows | None
    eval_source: str
    unused: tuple[str, ...] = ()  # splits of a folder that nobody reads


def read_data(options: TrainOptions, like: str | None) -> TrainData:
    """like: the task under which columns are guessed; None: the guess says the task too."""
    with told_in_one_line():
        train, evaluation, source, unused = splits_of(options)
        named = dict(options.column)
        if options.multi_label and "label" not in named:
            lists = [name for name in train.columns if all(isinstance(row.get(name), list) for row in train)]
            if len(lists) == 1:
                named["label"] = lists[0]
        try:
            guess = guess_columns(train, like, **named)
        except ValueError as error:
            raise Problem(say("train_columns", reason=error)) from error
        parts = {"train": guess.prepared(train)}
        if evaluation is not None:
            lacking = [column for column in guess.columns.values() if column not in evaluation.columns]
            if lacking:
                has = ", ".join(evaluation.columns)
                raise Problem(say("train_eval_columns", source=source, columns=", ".join(lacking), has=has), code=1)
            parts["eval"] = guess.prepared(evaluation)
    return TrainData(guess.task, dict(guess.columns), parts["train"], parts.get("eval"), source, unused)


def splits_of(options: TrainOptions) -> tuple[Rows, Rows | None, str, tuple[str, ...]]:
    paths: Any = options.data[0] if len(options.data) == 1 else list(options.data)
    found = load_data(paths, limit=options.limit)
    splits: dict[str, Rows] = found if isinstance(found, dict) else {"train": found}
    if "train" not in splits:
        raise Problem(say("train_no_train", path=options.data[0], splits=", ".join(splits)), code=1)
    train = splits.pop("train")
    if options.eval:
        given = load_data(options.eval[0] if len(options.eval) == 1 else list(options.eval), limit=options.limit)
        rows = given if isinstance(given, Rows) else next(iter(given.values()))
        return train, rows, ", ".join(Path(path).name for path in options.eval), tuple(splits)
    if "validation" in splits:
        return train, splits.pop("validation"), "validation", tuple(splits)
    if not options.eval_share:
        return train, None, "", tuple(splits)
    try:
        parts = train.train_test_split(options.eval_share, seed=options.seed)
    except ValueError as error:
        raise Problem(say("train_too_few", count=len(train), share=f"{options.eval_share:.0%}"), code=1) from error
    return parts["train"], parts["test"], say("train_set_aside", share=f"{options.eval_share:.0%}"), tuple(splits)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """What the reading warns of, as rows that are left out, in this command's form."""

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(say("train_note", text=record.getMessage()), flush=True)

    logger, handler = logging.getLogger("nabi.data"), Telling()
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def fingerprints(options: TrainOptions) -> dict[str, str]:
    """A short hash of every file: whether a run goes on with the same data."""
    found = {}
    for paths in (options.data, options.eval):
        for place in paths:
            for file in (one for files in files_of(place).values() for one in files):
                digest = hashlib.blake2b(digest_size=16)
                with file.open("rb") as stream:
                    while part := stream.read(1 << 20):
                        digest.update(part)
                found[file.name] = digest.hexdigest()
    return found
