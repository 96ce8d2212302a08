"""Entities against entities: one counts as found if its kind, beginning and end are all right.

Tags are a letter and a kind, as in B-PER: B begins, I goes on, E (or L) ends, S (or U) stands alone, O is outside.
Without a scheme, spans are read as the CoNLL evaluation reads them, which forgives a wrong letter: an I without a B
begins an entity. With scheme="IOB2" or "IOBES" only well-formed spans count, as KLUE demands (IOB2, average="macro").
The numbers are those of the package seqeval; it is not used because its last release (2020) comes as source only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

OUTSIDE = "O"
LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}
AVERAGES = ("micro", "macro", "weighted")
Span = tuple[str, int, int]  # kind, first place, place after the last


def seqeval(
    predictions: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    average: str = "micro",
    scheme: str | None = None,
    by_kind: bool = False,
) -> dict[str, float]:
    """Precision, recall and F1 of entities, and the accuracy of single tags.

    average: "micro" over all entities, "macro" and "weighted" over their kinds. scheme: None, "IOB2", "IOBES".
    by_kind: also "PER_f1", "PER_precision", "PER_recall" and "PER_number" for every kind.
    """
    if average not in AVERAGES:
        raise ValueError(f"average is {average!r}; expected one of {', '.join(AVERAGES)}")
    if scheme not in (None, "IOB2", "IOBES"):
        raise ValueError(f"scheme is {scheme!r}; expected 'IOB2', 'IOBES', or None for forgiving reading")
    predicted, true, found = Counter[str](), Counter[str](), Counter[str]()
    tags = right = 0
    for mine, theirs in zip(predictions, references, strict=True):
        tags += len(theirs)
        right += sum(one == other for one, other in zip(mine, theirs, strict=True))
        my_spans, their_spans = set(spans(mine, scheme)), set(spans(theirs, scheme))
        predicted.update(kind for kind, _, _ in my_spans)
        true.update(kind for kind, _, _ in their_spans)
        found.update(kind for kind, _, _ in my_spans & their_spans)
    kinds = sorted(set(predicted) | set(true))
    scores = {kind: precision_recall_f1(found[kind], predicted[kind], true[kind]) for kind in kinds}
    overall: Sequence[float]
    if average == "micro":
        overall = precision_recall_f1(found.total(), predicted.total(), true.total())
    else:
        weights = [true[kind] if average == "weighted" else 1 for kind in kinds]
        overall = tuple(weighted_mean([scores[kind][part] for kind in kinds], weights) for part in range(3))
    result = {
        "precision": overall[0],
        "recall": overall[1],
        "f1": overall[2],
        "accuracy": right / tags if tags else 0.0,
    }
    if by_kind:
        for kind, (precision, recall, f1) in scores.items():
            result |= {f"{kind}_precision": precision, f"{kind}_recall": recall, f"{kind}_f1": f1}
            result[f"{kind}_number"] = float(true[kind])
    return result


def spans(tags: Iterable[str], scheme: str | None = None) -> list[Span]:
    """The entities of one text, in order."""
    parts = [parted(tag, scheme) for tag in tags]
    return forgiving_spans(parts) if scheme is None else well_formed_spans(parts, scheme)


def parted(tag: str, scheme: str | None) -> tuple[str, str]:
    """B-PER -> B, PER; a bare letter is of the kind "_"."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    letter, dash, kind = tag.partition("-")
    if letter not in LETTERS or (kind and not dash):
        raise ValueError(f"the tag {tag!r} is none of an entity: expected O, or B, I, E or S with a kind, as B-PER")
    if scheme == "IOB2" and letter not in "BI":
        raise ValueError(f"the tag {tag!r} does not belong to the scheme IOB2, which has B, I and O")
    return LETTERS[letter], kind or "_"


def forgiving_spans(parts: Sequence[tuple[str, str]]) -> list[Span]:
    """A span goes on while the kind stays, and ends before B and S, and after E and S."""
    found: list[Span] = []
    begun: int | None = None
    letter_before, kind_before = OUTSIDE, ""
    for place, (letter, kind) in enumerate([*parts, (OUTSIDE, "")]):
        goes_on = begun is not None and kind == kind_before and letter in "IE" and letter_before in "BI"
        if not goes_on:
            if begun is not None:
                found.append((kind_before, begun, place))
            begun = None if letter == OUTSIDE else place
        letter_before, kind_before = letter, kind
    return found


def well_formed_spans(parts: Sequence[tuple[str, str]], scheme: str) -> list[Span]:
    """IOB2: B I*; IOBES: S, or B I* E; all of one kind. Anything else is no entity."""
    found: list[Span] = []
    place = 0
    while place < len(parts):
        begun, (letter, kind) = place, parts[place]
        place += 1
        if letter == "B":
            while place < len(parts) and parts[place] == ("I", kind):
                place += 1
            if scheme == "IOBES":
                if place == len(parts) or parts[place] != ("E", kind):
                    continue
                place += 1
        elif letter != "S":
            continue
        found.append((kind, begun, place))
    return found


def precision_recall_f1(found: int, predicted: int, true: int) -> tuple[float, float, float]:
    """0 where there is nothing to divide by."""
    return (
        found / predicted if predicted else 0.0,
        found / true if true else 0.0,
        2 * found / (predicted + true) if predicted + true else 0.0,
    )


def weighted_mean(values: Sequence[float], weights: Sequence[int]) -> float:
    total = sum(weights)
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / total if total else 0.0
