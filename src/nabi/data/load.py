"""`nabi.load_data`: plain files to Rows. No script is run, and nothing is fetched.

load_data("ratings_train.txt", text="document", label="label")   NSMC
load_data("KorQuAD_v1.0_train.json")                             questions, one per row
load_data("klue-ner-v1.1")                                       a folder: {"train": Rows, "validation": Rows}
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .formats import rows_of_file
from .labels import are_measures, flat, listed, names_in_order
from .rows import Rows
from .splits import PathOrPaths, files_of

logger = logging.getLogger(__name__)


def load_data(
    path: PathOrPaths | Mapping[str, PathOrPaths],
    *,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    labels: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
) -> Any:
    """Rows of a file, or of several one after another; a dict of Rows for a folder, or for {"train": path, …}.

    Reads .tsv and .csv with a header, .jsonl, .json (a list, SQuAD, KorQuAD, KLUE), .txt (a text a line, or a table
    with tabs), files with a tag per token (CoNLL, KLUE-NER, Naver NER), and .parquet. UTF-8, UTF-16 or cp949.

    text: the column that becomes "text", or two that become "text" and "text_pair". Rows without a text are left out,
        and a warning counts them. label: the column that becomes "label", as ids, with rows.label_names.
    labels: the names of all labels in the order of their ids; left out, those of the training split, sorted.
    columns: the names of the columns of a table that has no header.
    split: the one to return of several, "train", "validation" or "test". limit: at most so many rows of each split.

    FileNotFoundError, or ValueError with the file, the line and what is wrong in it.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; expected 1 or more")
    if labels is not None and label is None:
        raise ValueError("labels are the names in a column: say which one with label=…")
    texts = [text] if isinstance(text, str) else list(text or ())
    if len(texts) > 2:
        raise ValueError(f"text names {len(texts)} columns; a model reads one text, or a pair")
    files = files_of(path)
    if split is not None and split not in files:
        raise ValueError(f"there is no split {split!r}" + ("" if "" in files else f"; there are {', '.join(files)}"))
    read = list(files if split is None else {split: files[split]})
    # The names of labels are those of the whole training split, also where a part of another one is wanted.
    find_names = label is not None and labels is None
    if find_names and "train" in files and "train" not in read:
        read.insert(0, "train")
    splits = {}
    for name in read:
        rows = itertools.chain.from_iterable(rows_with_texts(file, columns, texts) for file in files[name])
        splits[name] = Rows(rows if find_names else itertools.islice(rows, limit))
        if not len(splits[name]):
            raise ValueError(f"{', '.join(map(str, files[name]))} has no rows")
        splits[name] = renamed(splits[name], texts, label, files[name])
    if label is not None:
        splits = labelled(splits, labels, files)
    splits = {name: rows if limit is None else rows[:limit] for name, rows in splits.items()}
    return splits[split or ""] if split or "" in splits else splits


def rows_with_texts(file: Path, columns: Sequence[str] | None, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of a file, those without a text left out and counted."""
    without: list[int] = []
    for number, row in rows_of_file(file, columns):
        if all(has_text(row[name]) for name in texts if name in row):
            yield row
        else:
            without.append(number)
    if without:
        rows = "1 row has" if len(without) == 1 else f"{len(without)} rows have"
        lines = f"line{'' if len(without) == 1 else 's'} {listed(without, 5)}"
        logger.warning("%s: %s no %s and will be left out (%s)", file, rows, " or no ".join(texts), lines)


def has_text(value: Any) -> bool:
    """Whether a cell holds something; pandas writes a missing one as nan."""
    return value is not None and value == value and (not isinstance(value, str) or bool(value.strip()))


def renamed(rows: Rows, texts: Sequence[str], label: str | None, files: Sequence[Path]) -> Rows:
    """The columns under the names that the rest of nabi knows."""
    for old, new in [*zip(texts, ("text", "text_pair"), strict=False), *([(label, "label")] if label else [])]:
        if old not in rows.columns:
            raise ValueError(f"{files[0]} has no column {old!r}; its columns are {', '.join(rows.columns)}")
        rows = rows.rename_column(old, new)
    return rows


def labelled(
    splits: Mapping[str, Rows], names: Sequence[str] | None, files: Mapping[str, Sequence[Path]]
) -> dict[str, Rows]:
    """Ids that mean the same in every split: the training split, or else the first one, tells the names."""
    first = splits["train"] if "train" in splits else next(iter(splits.values()))
    if names is None and not are_measures(flat(first["label"])):
        names = names_in_order(value for value in flat(first["label"]) if has_text(value))
    result = {}
    for name, rows in splits.items():
        try:
            result[name] = rows.with_labels("label", names)
        except ValueError as error:
            raise ValueError(f"{', '.join(map(str, files[name]))}: {error}; labels=[…] names all there are") from error
    return result
