"""Labels as people write them, to the ids that a model learns, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def number_in(value: Any) -> float | None:
    """What the label says if it is a number or its text, as "3" or "0.5"; None if it is a name."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        return float(value)
    text = str(value).strip()
    # float() also reads "nan", "inf" and "1_000", which no label means.
    if not text or not all(letter in "0123456789.eE+-" for letter in text):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def are_measures(values: Iterable[Any]) -> bool:
    """Whether labels are numbers with fractions, so that a model is to hit them and not to choose among them."""
    numbers = [number_in(value) for value in values]
    return bool(numbers) and None not in numbers and any(number != int(number) for number in numbers if number)


def names_in_order(values: Iterable[Any]) -> list[str]:
    """The distinct labels: numbers by size, names by the alphabet. The place of a label is its id.

    Labels that are 0, 1, … n - 1 are their own ids; 1 to 5 stars become 0 to 4 with the names "1" to "5".
    """
    names = {name_of(value): number_in(value) for value in values}
    if None in names.values():
        return sorted(names)
    return sorted(names, key=lambda name: names[name] or 0.0)


def name_of(value: Any) -> str:
    """One name for what is the same label: 1, 1.0 and "1 "."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(int(value) if isinstance(value, bool) else value).strip()


def to_ids(value: Any, ids: dict[str, int]) -> Any:
    """The id of a label, or the ids of a list of tags; KeyError if one is unknown."""
    if isinstance(value, (list, tuple)):
        return [ids[name_of(tag)] for tag in value]
    return ids[name_of(value)]


def flat(values: Iterable[Any]) -> Iterable[Any]:
    """Labels one by one, of lists of tags too."""
    for value in values:
        yield from value if isinstance(value, (list, tuple)) else (value,)


def listed(names: Sequence[Any], most: int = 8) -> str:
    """Names for a message, the first ones if there are many."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"
