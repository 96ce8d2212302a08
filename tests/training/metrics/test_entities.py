"""Entity scores are those of the package seqeval, on broken tag sequences too."""

from __future__ import annotations

import random
import warnings
from math import isnan
from typing import Any

import pytest
from seqeval import metrics as theirs
from seqeval import scheme as schemes

from nabi.training.metrics import compute
from nabi.training.metrics.entities import spans

LETTERS = {None: "BIES", "IOB2": "BI", "IOBES": "BIES"}


def texts(letters: str, seed: int, count: int) -> list[list[str]]:
    """Random tags, so most sequences are broken in some way; lengths are the same for every seed."""
    tags = ["O", "O", *(f"{letter}-{kind}" for letter in letters for kind in ("PS", "LC-a", "DT"))]
    chance = random.Random(seed)
    return [chance.choices(tags, k=length % 9) for length in range(count)]


@pytest.mark.filterwarnings("ignore")  # theirs where there is no entity at all
@pytest.mark.parametrize("scheme", LETTERS)
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("count", [2, 60])
def test_scores_are_those_of_seqeval(scheme: str | None, average: str, count: int) -> None:
    options: dict[str, Any] = {"average": average, "zero_division": 0}
    if scheme:
        options |= {"mode": "strict", "scheme": getattr(schemes, scheme)}
    for seed in range(6 if count < 60 else 3):
        gold = texts(LETTERS[scheme], seed, count)
        # Some texts as they should be, so that there is something to find.
        other = texts(LETTERS[scheme], 99, count)
        told = [gold[place] if place % 3 else other[place] for place in range(count)]
        ours = compute("seqeval", told, gold, average=average, scheme=scheme)
        for name in ("precision", "recall", "f1"):
            expected = getattr(theirs, f"{name}_score")(gold, told, **options)
            assert ours[name] == pytest.approx(0 if isnan(expected) else expected), name  # nan: no entity at all
        assert ours["accuracy"] == pytest.approx(theirs.accuracy_score(gold, told))


@pytest.mark.parametrize("letters", ["I", "BI", "IE", "IES", "BIES"])
def test_spans_of_every_short_sequence_are_those_of_seqeval(letters: str) -> None:
    from itertools import product

    from seqeval.metrics.sequence_labeling import get_entities

    tags = ["O", *(f"{letter}-{kind}" for letter in letters for kind in "XY")]
    for length in range(4 if len(tags) > 7 else 5):
        for sequence in product(tags, repeat=length):
            expected = [(kind, start, end + 1) for kind, start, end in get_entities(list(sequence))]
            assert spans(sequence) == expected, sequence


def test_scores_of_every_kind_are_those_of_seqevals_report() -> None:
    gold, told = texts("BI", 1, 40), texts("BI", 2, 40)
    told[::2] = gold[::2]
    ours = compute("seqeval", told, gold, by_kind=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = theirs.classification_report(gold, told, output_dict=True)
    for kind in ("PS", "LC-a", "DT"):
        assert ours[f"{kind}_f1"] == pytest.approx(report[kind]["f1-score"])
        assert ours[f"{kind}_precision"] == pytest.approx(report[kind]["precision"])
        assert ours[f"{kind}_recall"] == pytest.approx(report[kind]["recall"])
        assert ours[f"{kind}_number"] == report[kind]["support"]


def test_bilou_is_read_as_its_twin_iobes() -> None:
    assert spans(["B-X", "I-X", "L-X", "U-Y", "O"]) == spans(["B-X", "I-X", "E-X", "S-Y", "O"])


@pytest.mark.parametrize(
    ("told", "gold", "options", "message"),
    [
        ([["PER"]], [["O"]], {}, "the tag 'PER' is none of an entity"),
        ([["E-X"]], [["O"]], {"scheme": "IOB2"}, "'E-X' does not belong to the scheme IOB2"),
        ([["O", "O"]], [["O"]], {}, "text 0 has 2 predicted tags, but 1 labels"),
        ([["O"]], [["O"]], {"scheme": "BIO"}, "scheme is 'BIO'"),
        ([["O"]], [["O"]], {"average": "binary"}, "average is 'binary'"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(told: Any, gold: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute("seqeval", told, gold, **options)
