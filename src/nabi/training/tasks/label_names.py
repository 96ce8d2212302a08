"""Labels as a data set writes them, and the ids and names under which a model learns them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...data.labels import flat, listed, name_of, names_in_order


@dataclass(frozen=True)
class Labels:
    """names: by id, as the model will say them. ids: of each label as the data write it."""

    names: tuple[str, ...]
    ids: dict[str, int]

    @classmethod
    def of(cls, values: Iterable[Any], given: Sequence[str] | None, config: Any) -> Labels:
        """Of the labels of the training rows.

        given: names that the user says. Without them, where the data fit the names of the checkpoint those stay: the
        data may write the names, or 0, 1, … for them. Else the data's labels are the names: numbers by size, names by
        the alphabet. ValueError if the labels do not fit what is given, or if there is only one.
        """
        found = names_in_order(flat(values))
        numbered = found == [str(number) for number in range(len(found))]
        if given is not None:
            if len(set(given)) < len(given):
                raise ValueError(f"a label is named twice in {listed(given)}")
            if set(found) <= set(given):
                return cls.named(given)
            if all(label.isdigit() and int(label) < len(given) for label in found):
                return cls(tuple(given), {str(number): number for number in range(len(given))})
            unknown = [label for label in found if label not in given]
            raise ValueError(f"the data have the labels {listed(unknown)}, which are none of {listed(given)}")
        if len(found) < 2:
            raise ValueError(f"all rows have the label {found[0]!r}: there is nothing to tell apart")
        known = own_names(config)
        if set(found) == set(known):
            return cls.named(known)
        if numbered and len(known) == len(found):
            return cls(tuple(known), {label: int(label) for label in found})
        return cls.named(found)

    @classmethod
    def named(cls, names: Sequence[str]) -> Labels:
        return cls(tuple(names), {name: number for number, name in enumerate(names)})

    def config_keys(self) -> dict[str, Any]:
        return {
            "id2label": dict(enumerate(self.names)),
            "label2id": {name: number for number, name in enumerate(self.names)},
        }

    def id_of(self, value: Any, row: int) -> int:
        """ValueError for a label that the training rows do not have."""
        name = name_of(value)
        if name not in self.ids:
            raise ValueError(
                f"row {row} has the label {name!r}, but those of the training are {listed(list(self.ids))}"
            )
        return self.ids[name]


def own_names(config: Any) -> list[str]:
    """The label names of a checkpoint, if it has other ones than LABEL_0, LABEL_1, …"""
    names = [str(name) for _, name in sorted((getattr(config, "id2label", None) or {}).items())]
    return [] if names == [f"LABEL_{number}" for number in range(len(names))] else names
