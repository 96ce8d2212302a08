"""What an evaluation hands to `compute_metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class EvalPrediction:
    """The outputs of a model over an evaluation set, and what they are to be measured by.

    predictions: logits, or the ids that were generated, one row per example; a tuple if the model gives several.
    label_ids: the labels, with -100 where there is none; a tuple if there are several.
    inputs, losses: what `include_for_metrics` asked for. Also unpacks: `logits, labels = eval_prediction`.
    """

    predictions: Any
    label_ids: Any
    inputs: Any = None
    losses: Any = None

    @property
    def elements(self) -> tuple[Any, ...]:
        extras = tuple(each for each in (self.inputs, self.losses) if each is not None)
        return (self.predictions, self.label_ids, *extras)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.elements)

    def __getitem__(self, index: int) -> Any:
        return self.elements[index]
