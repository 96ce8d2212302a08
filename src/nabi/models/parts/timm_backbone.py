"""ResNets (arXiv:1512.03385) under the names of the timm library, frozen in their norms, as bodies of other models."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import Config
from . import images

# The ResNets of timm: kind of layer, layers in each stage.
TIMM_RESNETS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}


class TimmBackboneConfig(Config):
    """A body by its name in the timm library."""

    model_type = "timm_backbone"
    no_effect = Config.no_effect | {"use_pretrained_backbone", "freeze_batch_norm_2d", "out_features", "stage_names"}
    only = {"features_only": True}

    backbone: str = "resnet50"
    num_channels: int = 3
    out_indices: list[int] | tuple[int, ...] = (1, 2, 3, 4)
    output_stride: int | None = None

    def check(self) -> None:
        super().check()
        self.kind  # noqa: B018
        self.require("output_stride", (None, 8, 16, 32), "see the family's paper")

    @property
    def kind(self) -> tuple[str, tuple[int, ...]]:
        name = self.backbone.partition(".")[0]
        if name not in TIMM_RESNETS:
            known = ", ".join(TIMM_RESNETS)
            raise ValueError(f"config key 'backbone' is {self.backbone!r}, of timm's bodies nabi has {known}")
        return TIMM_RESNETS[name]


class FrozenBatchNorm(nn.Module):
    """Batch norm by the statistics of its file; nothing of it is learned."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        for name in ("weight", "running_var"):
            self.register_buffer(name, torch.ones(size))
        for name in ("bias", "running_mean"):
            self.register_buffer(name, torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        return x * scale[:, None, None] + (self.bias - self.running_mean * scale)[:, None, None]


class TimmLayer(nn.Module):
    """A ResNet's layer under timm's names. dilations: of the first and the second convolution of width 3."""

    def __init__(self, kind: str, fan_in: int, fan_out: int, stride: int, dilations: tuple[int, int]) -> None:
        super().__init__()
        inside = fan_out if kind == "basic" else fan_out // 4
        plan = [(3, inside), (3, fan_out)] if kind == "basic" else [(1, inside), (3, inside), (1, fan_out)]
        spreads, size, self.depth = iter(dilations), fan_in, len(plan)
        halves = 1 if kind == "basic" else 2
        for i, (width, out) in enumerate(plan, 1):
            spread = next(spreads) if width == 3 else 1
            step = stride if i == halves else 1
            conv = nn.Conv2d(size, out, width, step, padding=width // 2 * spread, dilation=spread, bias=False)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", FrozenBatchNorm(out))
            size = out
        self.downsample = None
        if fan_in != fan_out or stride != 1:
            conv = nn.Conv2d(fan_in, fan_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, FrozenBatchNorm(fan_out))

    def forward(self, x: Tensor) -> Tensor:
        kept = x if self.downsample is None else self.downsample(x)
        for i in range(1, self.depth + 1):
            x = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))
            x = F.relu(x if i < self.depth else x + kept)
        return x


class TimmResNet(nn.Module):
    """A ResNet under timm's names. Stages beyond output_stride are dilated instead of halving the image again."""

    def __init__(self, config: TimmBackboneConfig) -> None:
        super().__init__()
        kind, depths = config.kind
        self.conv1 = nn.Conv2d(config.num_channels, 64, 7, 2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm(64)
        self.sizes, reached, spread = [64], 4, 1
        for i, depth in enumerate(depths):
            before, stride = spread, 2 if i else 1
            if reached * stride > (config.output_stride or 32):
                spread, stride = spread * stride, 1
            reached *= stride
            width = 64 * 2**i * (1 if kind == "basic" else 4)
            layers = [TimmLayer(kind, self.sizes[-1], width, stride, (before, spread))]
            layers += [TimmLayer(kind, width, width, 1, (spread, spread)) for _ in range(depth - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*layers))
            self.sizes.append(width)
        self.chosen = [i % 5 for i in config.out_indices]

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        maps = [F.relu(self.bn1(self.conv1(images.check_pixels(pixel_values, self.conv1.weight))))]
        x = F.max_pool2d(maps[0], kernel_size=3, stride=2, padding=1)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
            maps.append(x)
        return [maps[i] for i in self.chosen]
