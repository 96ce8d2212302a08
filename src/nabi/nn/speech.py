"""Parts that speech models share: the stem of convolutions, masking spans, codebooks, pooling over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .mlp import activation_function
from .roles import At, RoleModule


def conv_length(length: Tensor, kernels: Sequence[int], strides: Sequence[int]) -> Tensor:
    """How many positions are left after unpadded convolutions, one after another."""
    for kernel, stride in zip(kernels, strides, strict=True):
        length = torch.div(length - kernel, stride, rounding_mode="floor") + 1
    return length


def frame_mask(frames: int, lengths: Tensor) -> Tensor:
    """(batch, frames), True before each text's length (batch,)."""
    return torch.arange(frames, device=lengths.device)[None] < lengths[:, None]


def span_mask(rows: int, length: int, *, share: float, span: int, least: int = 0, real: Tensor | None = None) -> Tensor:
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


# --- from the waveform to frames --------------------------------------------------------------------------------------


class ConvLayer(nn.Module):
    """One convolution of the stem. With norm "group" only the first is normalised, by channel; with "layer" all."""

    def __init__(self, config: Any, index: int) -> None:
        super().__init__()
        size = config.conv_dim[index]
        self.conv = nn.Conv1d(
            config.conv_dim[index - 1] if index else 1,
            size,
            config.conv_kernel[index],
            stride=config.conv_stride[index],
            bias=config.conv_bias,
        )
        self.by_channel = config.feat_extract_norm == "group"
        if not self.by_channel:
            self.layer_norm: nn.Module = nn.LayerNorm(size)
        elif index == 0:
            self.layer_norm = nn.GroupNorm(size, size)
        self.activation = activation_function(config.feat_extract_activation)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if hasattr(self, "layer_norm"):
            x = self.layer_norm(x) if self.by_channel else self.layer_norm(x.transpose(1, 2)).transpose(1, 2)
        return self.activation(x)


class FeatureEncoder(nn.Module):
    """The stem: (batch, samples) -> (batch, frames, channels)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(ConvLayer(config, i) for i in range(len(config.conv_dim)))

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class FeatureProjection(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)
        self.dropout = nn.Dropout(config.feat_proj_dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The projected frames, and the normalised ones that they were made of."""
        x = self.layer_norm(x)
        return self.dropout(self.projection(x)), x


class PositionalConv(RoleModule):
    """Positions as a wide grouped convolution whose weight is stored as direction and length (weight norm)."""

    length = At("conv.parametrizations.weight.original0")
    direction = At("conv.parametrizations.weight.original1")
    bias = At("conv.bias")

    def __init__(self, config: Any) -> None:
        super().__init__()
        size, self.width, self.groups = (
            config.hidden_size,
            config.num_conv_pos_embeddings,
            config.num_conv_pos_embedding_groups,
        )
        self.bias = nn.Parameter(torch.zeros(size))
        self.length = nn.Parameter(torch.ones(1, 1, self.width))
        self.direction = nn.Parameter(torch.randn(size, size // self.groups, self.width))
        self.activation = activation_function(config.feat_extract_activation)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.direction * (self.length / self.direction.norm(dim=(0, 1), keepdim=True))
        y = F.conv1d(x.transpose(1, 2), weight, self.bias, padding=self.width // 2, groups=self.groups)
        return self.activation(y[..., : x.shape[1]]).transpose(1, 2)


# --- behind the stack -------------------------------------------------------------------------------------------------


class AdapterLayer(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        size = config.output_hidden_size
        self.conv = nn.Conv1d(size, 2 * size, config.adapter_kernel_size, stride=config.adapter_stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(self.conv(x), dim=1)


class Adapter(nn.Module):
    """Convolutions behind the stack that shorten the text of frames."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        changes = config.output_hidden_size != config.hidden_size
        self.proj = nn.Linear(config.hidden_size, config.output_hidden_size) if changes else None
        self.proj_layer_norm = nn.LayerNorm(config.output_hidden_size) if changes else None
        self.layers = nn.ModuleList(AdapterLayer(config) for _ in range(config.num_adapter_layers))
        self.skip = config.layerdrop

    def forward(self, x: Tensor) -> Tensor:
        if self.proj is not None and self.proj_layer_norm is not None:
            x = self.proj_layer_norm(self.proj(x))
        x = x.transpose(1, 2)
        for layer in self.layers:
            if not (self.training and torch.rand(()) < self.skip):
                x = layer(x)
        return x.transpose(1, 2)


class GumbelQuantizer(nn.Module):
    """Frames -> entries of a product codebook, chosen by a hard Gumbel softmax in training (arXiv:1611.01144)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.groups, entries = config.num_codevector_groups, config.num_codevectors_per_group
        if config.codevector_dim % self.groups:
            raise ValueError(
                f"codevector_dim {config.codevector_dim} is not a multiple of num_codevector_groups {self.groups}"
            )
        self.codevectors = nn.Parameter(torch.empty(1, self.groups * entries, config.codevector_dim // self.groups))
        self.weight_proj = nn.Linear(config.conv_dim[-1], self.groups * entries)
        self.temperature = 2.0

    def forward(self, x: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """(batch, frames, codevector_dim), and the perplexity of the codebook over the hidden frames."""
        scores = self.weight_proj(x).unflatten(-1, (self.groups, -1))
        if self.training:
            chosen = F.gumbel_softmax(scores.float(), tau=self.temperature, hard=True).type_as(x)
            used = torch.softmax(scores.float(), dim=-1)
        else:
            chosen = used = F.one_hot(scores.argmax(-1), scores.shape[-1]).type_as(x)
        code = torch.einsum("btgv,gvd->btgd", chosen, self.codevectors[0].unflatten(0, (self.groups, -1)))
        share = used.flatten(0, 1) if hidden is None else used[hidden]
        share = share.mean(0)
        return code.flatten(2), torch.exp(-torch.xlogy(share, share).sum(-1)).sum()


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
