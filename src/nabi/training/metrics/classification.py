"""Classes against classes: the share that is right, precision, recall, F1, and the correlation of Matthews (1975)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .libraries import needed

AVERAGES = ("binary", "macro", "micro", "weighted", "samples")


def accuracy(predictions: np.ndarray, references: np.ndarray) -> float:
    """The share of items whose class is right; with several labels per item all of them must be."""
    right = predictions == references
    return float((right.all(-1) if right.ndim == 2 else right).mean())


def precision(
    predictions: np.ndarray,
    references: np.ndarray,
    classes: int | None = None,
    *,
    average: str | None = None,
    pos_label: Any = 1,
) -> float:
    """Of what was predicted, the share that is right. average and pos_label: see f1."""
    return by_sklearn("precision_score", predictions, references, classes, average, pos_label)


def recall(
    predictions: np.ndarray,
    references: np.ndarray,
    classes: int | None = None,
    *,
    average: str | None = None,
    pos_label: Any = 1,
) -> float:
    """Of what was to be found, the share that was. average and pos_label: see f1."""
    return by_sklearn("recall_score", predictions, references, classes, average, pos_label)


def f1(
    predictions: np.ndarray,
    references: np.ndarray,
    classes: int | None = None,
    *,
    average: str | None = None,
    pos_label: Any = 1,
) -> float:
    """The harmonic mean of precision and recall.

    average: "binary" (the class pos_label alone), "macro" (the mean over the classes), "micro" (over all items),
    "weighted" (by how often a class occurs). None: binary for two classes, micro with several labels per item, else
    macro. classes: how many the model has; None: as many as occur.
    """
    return by_sklearn("f1_score", predictions, references, classes, average, pos_label)


def matthews_correlation(predictions: np.ndarray, references: np.ndarray) -> float:
    """-1 to 1, and 0 for what chance gives; for two classes or more."""
    if references.ndim == 2:
        raise ValueError("matthews_correlation is for one label per item: take 'f1_macro' for several")
    return float(needed("sklearn.metrics").matthews_corrcoef(references, predictions))


def by_sklearn(
    function: str,
    predictions: np.ndarray,
    references: np.ndarray,
    classes: int | None,
    average: str | None,
    pos_label: Any,
) -> float:
    if average is not None and average not in AVERAGES:
        raise ValueError(f"average is {average!r}; expected one of {', '.join(AVERAGES)}")
    present = set(np.unique(references).tolist()) | set(np.unique(predictions).tolist())
    if average is None:
        two = present <= {0, 1, pos_label} and (classes or 2) <= 2
        average = "micro" if references.ndim == 2 else "binary" if two else "macro"
    if average == "binary" and len(present | {pos_label}) > 2:
        raise ValueError(
            f"average='binary' is for two classes, but there are {', '.join(map(repr, sorted(present)))} and pos_label "
            f"is {pos_label!r}: say average='macro', 'micro' or 'weighted', or pos_label=…"
        )
    score = getattr(needed("sklearn.metrics"), function)
    return float(score(references, predictions, average=average, pos_label=pos_label, zero_division=0))
