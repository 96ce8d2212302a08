"""Telling speakers apart (x-vectors): layers over time, pooling, and the loss with a margin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TimeDelayLayer(nn.Module):
    """A dilated convolution over time whose kernel is stored as one linear layer over neighbouring frames."""

    def __init__(self, fan_in: int, fan_out: int, width: int, dilation: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(fan_in * width, fan_out)
        self.width, self.dilation = width, dilation

    def forward(self, x: Tensor) -> Tensor:
        weight = self.kernel.weight.unflatten(1, (self.width, -1)).transpose(1, 2)
        return F.relu(F.conv1d(x.transpose(1, 2), weight, self.kernel.bias, dilation=self.dilation)).transpose(1, 2)


def statistics_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, frames, size) -> (batch, 2 size): mean and standard deviation over each text's length."""
    texts = x if lengths is None else [frames[: int(n)] for frames, n in zip(x, lengths, strict=True)]
    return torch.stack([torch.cat((frames.mean(0), frames.std(0))) for frames in texts])


class AMSoftmaxLoss(nn.Module):
    """Cross entropy of scaled cosines, the right one lowered by a margin (arXiv:1801.05599)."""

    def __init__(self, size: int, labels: int, scale: float = 30.0, margin: float = 0.4) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, labels))
        self.scale, self.margin = scale, margin

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (batch, size), labels (batch,)"""
        labels = labels.flatten()
        cosine = F.normalize(x, dim=1) @ F.normalize(self.weight, dim=0)
        lowered = cosine - self.margin * F.one_hot(labels, self.weight.shape[1])
        return F.cross_entropy(self.scale * lowered, labels)
