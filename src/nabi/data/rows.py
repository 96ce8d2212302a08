"""Rows: a table of dicts, as light as a list, that can be trained on.

`datasets.Dataset` would do the same, but needs pyarrow and pandas and takes two seconds to import. The methods have its
names, so what people learned works, and `to_datasets()` gives one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from .labels import are_measures, flat, listed, name_of, names_in_order, number_in, to_ids


class Rows(Sequence[dict[str, Any]]):
    """A list of records; also a map-style dataset, as `Trainer(train_dataset=rows)` wants it.

        rows[0]         {"text": "최고예요", "label": 1}
        rows["label"]   [1, 0, …]
        rows[:100]      Rows

    label_names: the names of the labels in the order of their ids, if there are any. Nothing changes rows in place:
    every method gives new ones.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]], *, label_names: Sequence[str] | None = None) -> None:
        self._records = [record if isinstance(record, dict) else dict(record) for record in records]
        self.label_names = None if label_names is None else list(label_names)

    # ---------------------------------------------------------------- looking

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice) -> Rows: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> dict[str, Any] | Rows | list[Any]:
        """A row by its number, rows by a slice, or a column by its name; None where a row lacks the column."""
        if isinstance(key, str):
            self._check_columns([key])
            return [record.get(key) for record in self._records]
        if isinstance(key, slice):
            return self._like(self._records[key])
        return self._records[key]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and (self._records, self.label_names) == (other._records, other.label_names)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        labels = "" if self.label_names is None else f", labels: {listed(self.label_names)}"
        return f"Rows({len(self)} rows, columns: {', '.join(self.columns)}{labels})"

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in the order in which they occur."""
        return list(dict.fromkeys(key for record in self._records for key in record))

    column_names = columns

    @property
    def id2label(self) -> dict[int, str]:
        """For the config: `AutoModel….from_pretrained(name, id2label=rows.id2label, label2id=rows.label2id)`."""
        return dict(enumerate(self.label_names or []))

    @property
    def label2id(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.label_names or [])}

    # ---------------------------------------------------------------- choosing

    def select(self, indices: Iterable[int]) -> Rows:
        return self._like(self._records[index] for index in indices)

    def filter(self, function: Callable[[dict[str, Any]], Any]) -> Rows:
        """The rows for which the function is true."""
        return self._like(record for record in self._records if function(record))

    def shuffle(self, seed: int = 0) -> Rows:
        return self.select(self._shuffled(seed))

    def train_test_split(self, test_size: float | int = 0.25, seed: int = 0, shuffle: bool = True) -> dict[str, Rows]:
        """{"train": Rows, "test": Rows}. test_size: a share between 0 and 1, or a number of rows."""
        count = len(self)
        share = isinstance(test_size, float) and test_size < 1
        test = round(count * test_size) if share else int(test_size)
        if not 0 < test < count:
            raise ValueError(
                f"test_size={test_size!r} of {count} rows leaves {test} to test and {count - test} to train"
            )
        order = self._shuffled(seed) if shuffle else list(range(count))
        if shuffle:
            return {"train": self.select(order[test:]), "test": self.select(order[:test])}
        return {"train": self.select(order[:-test]), "test": self.select(order[-test:])}

    def remove_columns(self, names: str | Sequence[str]) -> Rows:
        gone = [names] if isinstance(names, str) else list(names)
        self._check_columns(gone)
        return self._like({key: record[key] for key in record if key not in gone} for record in self._records)

    def rename_column(self, old: str, new: str) -> Rows:
        self._check_columns([old])
        if new != old and new in self.columns:
            raise ValueError(f"the column {old!r} cannot be called {new!r}: there is one of that name")
        return self._like(
            {new if key == old else key: value for key, value in record.items()} for record in self._records
        )

    # ---------------------------------------------------------------- changing

    def map(
        self,
        function: Callable[[Any], Mapping[str, Any]],
        batched: bool = False,
        batch_size: int = 1000,
        remove_columns: str | Sequence[str] = (),
    ) -> Rows:
        """Each row with what the function makes of it added, and remove_columns left out.

        batched: the function gets a dict of columns, of batch_size rows, and gives one: quick with a tokenizer. It may
        give another number of rows if all old columns are left out.
        """
        gone = {remove_columns} if isinstance(remove_columns, str) else set(remove_columns)
        self._check_columns(gone)
        if not batched:
            return self._like(
                {**{key: record[key] for key in record if key not in gone}, **made_by(function, record)}
                for record in self._records
            )
        kept = [column for column in self.columns if column not in gone]
        records: list[dict[str, Any]] = []
        for start in range(0, len(self), batch_size):
            batch = self[start : start + batch_size]
            made = made_by(function, {column: batch[column] for column in self.columns})
            lengths = {column: len(values) for column, values in made.items()}
            lengths |= {column: len(batch) for column in kept if column not in made}
            if len(set(lengths.values())) > 1:
                raise ValueError(
                    "columns of different lengths: "
                    + ", ".join(f"{column} has {length}" for column, length in lengths.items())
                    + ". Leave old columns out with remove_columns=…"
                )
            table = {**{column: batch[column] for column in kept}, **made}
            records += [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        return self._like(records)

    def with_labels(self, column: str = "label", names: Sequence[str] | None = None) -> Rows:
        """Labels, or the tags in lists, as ids, with label_names to tell what they mean.

        names: all labels in the order of their ids; left out, those that occur: numbers by size, names by the
        alphabet. Numbers with fractions become floats, without label_names: a model is to hit them.
        """
        values = self[column]
        for number, value in enumerate(values):
            if value is None or value == "" or value != value:
                raise ValueError(
                    f"row {number} has no {column}: drop it, as with rows.filter(lambda row: row[{column!r}])"
                )
        if names is None and are_measures(flat(values)):
            return self._like({**record, column: number_in(record[column])} for record in self._records)
        names = names_in_order(flat(values)) if names is None else [name_of(name) for name in names]
        ids = {name: number for number, name in enumerate(names)}
        if len(ids) < len(names):
            raise ValueError(f"a label is named twice in {listed(names)}")
        records = []
        for number, record in enumerate(self._records):
            try:
                records.append({**record, column: to_ids(record[column], ids)})
            except KeyError as error:
                raise ValueError(
                    f"row {number} has the {column} {error.args[0]!r}, which is none of the labels {listed(names)}"
                ) from error
        return Rows(records, label_names=names)

    def to_datasets(self) -> Any:
        """A `datasets.Dataset` of the same rows; ImportError if datasets is not installed."""
        try:
            from datasets import Dataset
        except ImportError as error:
            raise ImportError("to_datasets needs the package datasets: pip install datasets") from error
        return Dataset.from_list(self._records)

    # ---------------------------------------------------------------- inside

    def _like(self, records: Iterable[Mapping[str, Any]]) -> Rows:
        return Rows(records, label_names=self.label_names)

    def _shuffled(self, seed: int) -> list[int]:
        order = list(range(len(self)))
        random.Random(seed).shuffle(order)
        return order

    def _check_columns(self, names: Iterable[str]) -> None:
        columns = self.columns
        for name in names:
            if name not in columns:
                raise KeyError(f"there is no column {name!r}; there are {', '.join(columns) or 'no rows'}")


def made_by(function: Callable[[Any], Any], given: Any) -> dict[str, Any]:
    made = function(given)
    if not isinstance(made, Mapping):
        raise TypeError(f"the function of map gives a {type(made).__name__}; a dict of columns is due")
    return dict(made)
