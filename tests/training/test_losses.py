"""Who has divided by num_items_in_batch is told from the code of the loss; label smoothing is the incumbent's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers.trainer_pt_utils as theirs

from nabi.training.losses import LabelSmoother, count_items, uses_item_count


class Base:
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        return 1


class Ignores(Base):
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        return model(**inputs)


class Divides(Base):
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        return model(**inputs) / num_items_in_batch


class PassesOn(Base):
    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().compute_loss(model, inputs, *args, **kwargs)


class DropsTheRest(Base):
    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **kwargs: Any) -> Any:
        return model(**inputs)


class OfVersion4(Base):
    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False) -> Any:
        return model(**inputs)


@pytest.mark.parametrize(
    ("kind", "divided"),
    [(Ignores, False), (Divides, True), (PassesOn, True), (DropsTheRest, False), (OfVersion4, False)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_loss_counts_as_divided_if_it_reads_the_number(kind: type[Base], divided: bool) -> None:
    assert uses_item_count(kind.compute_loss) is divided


@pytest.mark.parametrize("shifted", [False, True])
def test_label_smoothing_is_the_incumbents(shifted: bool) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 7, 11), torch.randint(0, 11, (3, 7))
    labels[0, 4:] = -100
    wanted = theirs.LabelSmoother(0.2)({"logits": logits}, labels.clone(), shift_labels=shifted)
    found = LabelSmoother(0.2)({"logits": logits}, labels, shift_labels=shifted)
    torch.testing.assert_close(found, wanted)


def test_items_are_the_labels_that_count() -> None:
    labels = torch.tensor([[1, 2, -100], [3, -100, -100]])
    assert count_items({"labels": labels}, ["labels"], shifted=False) == 3
    assert count_items({"labels": labels}, ["labels"], shifted=True) == 1
    assert count_items({"labels": torch.rand(4, 2)}, ["labels"], shifted=False) == 4
    assert count_items({"start_positions": torch.zeros(5).long()}, ["start_positions"], shifted=False) == 5
    assert count_items({"input_ids": torch.zeros(6, 2)}, ["labels"], shifted=False) == 6
