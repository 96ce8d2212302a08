"""From a waveform to frames, and what is done with frames: the stem of convolutions, masking spans, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import Config
from ...nn.mlp import activation_function
from ...nn.roles import At, RoleModule


class SoundConfig(Config):
    """Keys of all models of sound: for `spec_augment`, and for one label from the mean of the frames."""

    apply_spec_augment: bool = True
    mask_time_prob: float = 0.05
    mask_time_length: int = 10
    mask_time_min_masks: int = 2
    mask_feature_prob: float = 0.0
    mask_feature_length: int = 10
    mask_feature_min_masks: int = 0
    use_weighted_layer_sum: bool = False
    classifier_proj_size: int = 256


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


def spec_augment(
    x: Tensor,
    config: Any,
    *,
    training: bool,
    instead: Tensor | None = None,
    chosen: Tensor | None = None,
    real: Tensor | None = None,
) -> Tensor:
    """Hide spans of x (batch, frames, size): frames become `instead`, or zeros, and channels zeros.

    Hidden are the frames `chosen` (batch, frames), else random spans while training, by the config's mask_… keys.
    """
    if not config.apply_spec_augment:
        return x
    batch, frames, size = x.shape
    if chosen is None and training and config.mask_time_prob > 0:
        chosen = span_mask(
            batch,
            frames,
            share=config.mask_time_prob,
            span=config.mask_time_length,
            least=config.mask_time_min_masks,
            real=None if real is None else real.sum(-1),
        )
    if chosen is not None:
        blank = x.new_zeros(size) if instead is None else instead.to(x.dtype)
        x = torch.where(chosen.to(x.device).bool()[..., None], blank, x)
    if training and config.mask_feature_prob > 0:
        channels = span_mask(
            batch,
            size,
            share=config.mask_feature_prob,
            span=config.mask_feature_length,
            least=config.mask_feature_min_masks,
        )
        x = x.masked_fill(channels.to(x.device)[:, None], 0.0)
    return x


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
        self.layer_norm: nn.Module = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
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
