"""Parts that speech models share: masking spans of frames, pooling over time, the layers of x-vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_length(length: Tensor, kernels: Sequence[int], strides: Sequence[int]) -> Tensor:
    """How many positions are left after unpadded convolutions, one after another."""
    for kernel, stride in zip(kernels, strides, strict=True):
        length = torch.div(length - kernel, stride, rounding_mode="floor") + 1
    return length


def frame_mask(frames: int, lengths: Tensor) -> Tensor:
    """(batch, frames), True before each text's length (batch,)."""
    return torch.arange(frames, device=lengths.device)[None] < lengths[:, None]


def span_mask(
    rows: int, length: int, *, share: float, span: int, least: int = 0, real: Tensor | None = None
) -> Tensor:
    """(rows, length), True in random spans (SpecAugment, arXiv:1904.08779).

    share: what part of a row the spans would cover if they did not overlap; span: the length of each; least: at
    least so many; real (rows,): lengths without padding, where the spans stay.
    """
    if not 0 < span <= length:
        raise ValueError(f"a masked span of {span} does not fit into {length} positions: shorten it in the config")
    mask = torch.zeros(rows, length, dtype=torch.bool)
    lengths = [length] * rows if real is None else [int(n) for n in real]
    chance = torch.rand(()).item()  # rounds the number of spans up or down, the same way in all rows
    for row, n in enumerate(lengths):
        starts = max(n - span + 1, 0)
        count = min(max(int(share * n / span + chance), least), length // span, starts)
        for start in torch.randperm(starts)[:count].tolist():
            mask[row, start : start + span] = True
    return mask


def mean_over_time(x: Tensor, real: Tensor | None) -> Tensor:
    """(batch, frames, size) -> (batch, size), over real frames only."""
    if real is None:
        return x.mean(1)
    return (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)


def statistics_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, frames, size) -> (batch, 2 size): mean and standard deviation over each text's length."""
    texts = x if lengths is None else [frames[: int(n)] for frames, n in zip(x, lengths, strict=True)]
    return torch.stack([torch.cat((frames.mean(0), frames.std(0))) for frames in texts])


class TimeDelayLayer(nn.Module):
    """A dilated convolution over time whose kernel is stored as one linear layer over neighbouring frames."""

    def __init__(self, fan_in: int, fan_out: int, width: int, dilation: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(fan_in * width, fan_out)
        self.width, self.dilation = width, dilation

    def forward(self, x: Tensor) -> Tensor:
        weight = self.kernel.weight.unflatten(1, (self.width, -1)).transpose(1, 2)
        return F.relu(F.conv1d(x.transpose(1, 2), weight, self.kernel.bias, dilation=self.dilation)).transpose(1, 2)


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
