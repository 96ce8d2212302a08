"""Picking the rows whose label counts changes neither the loss nor its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nabi.nn.losses import IGNORED, cross_entropy, of_counting_labels


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5, 1.0])
@pytest.mark.parametrize("items", [None, 7], ids=["mean", "of several batches"])
def test_cross_entropy_is_torchs_however_few_labels_count(share: float, items: int | None) -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 10, 30, requires_grad=True)
    labels = torch.randint(30, (40,))
    labels[round(40 * share) :] = IGNORED
    labels = labels[torch.randperm(40)].view(4, 10)
    flat = logits.flatten(0, 1), labels.flatten()
    expected = F.cross_entropy(*flat) if items is None else F.cross_entropy(*flat, reduction="sum") / items
    found = cross_entropy(logits, labels, items)
    torch.testing.assert_close(found, expected, equal_nan=True)
    (wanted,), (gradient,) = (torch.autograd.grad(loss, logits) for loss in (expected, found))
    torch.testing.assert_close(gradient, wanted, equal_nan=True)
    assert len(of_counting_labels(*flat)[0]) == (round(40 * share) if share <= 0.5 else 40)
