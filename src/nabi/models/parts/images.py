"""Images: the checks of pixel values, and positions on a grid of patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def two(size: int | Sequence[int]) -> tuple[int, int]:
    """A size as (height, width); one number means both."""
    if isinstance(size, int):
        return size, size
    if len(size) != 2:
        raise ValueError(f"a size of the config is {list(size)}; expected one number, or height and width")
    return size[0], size[1]


def check_pixels(pixel_values: Any, weight: Tensor) -> Tensor:
    """The pixels in the dtype of the convolution that reads them, weight (out, channels, …)."""
    what = "an image processor gives floating-point pixel_values of shape (batch, channels, height, width)"
    if not isinstance(pixel_values, Tensor):
        raise TypeError(f"pixel_values is a {type(pixel_values).__name__}; expected a tensor: {what}")
    if pixel_values.dim() != 4:
        raise ValueError(f"pixel_values has shape {tuple(pixel_values.shape)}: {what}")
    if not pixel_values.is_floating_point():
        raise ValueError(f"pixel_values holds numbers of {pixel_values.dtype}: {what}")
    if pixel_values.shape[1] != weight.shape[1]:
        raise ValueError(
            f"pixel_values has {pixel_values.shape[1]} channels (shape {tuple(pixel_values.shape)}), the model reads "
            f"{weight.shape[1]}: convert the images, or load with num_channels={pixel_values.shape[1]} and train anew"
        )
    return pixel_values.to(weight.dtype)


def check_image_size(pixels: Tensor, expected: tuple[int, int], remedy: str) -> None:
    found = tuple(pixels.shape[-2:])
    if found != expected:
        raise ValueError(
            f"the images are {found[0]} x {found[1]} pixels, the model's {expected[0]} x {expected[1]}: {remedy}"
        )


def grid_of(size: Sequence[int], patch: tuple[int, int]) -> tuple[int, int]:
    """How many patches lie over an image, down and across."""
    grid = size[0] // patch[0], size[1] // patch[1]
    if 0 in grid:
        raise ValueError(f"an image of {size[0]} x {size[1]} is smaller than a patch of {patch[0]} x {patch[1]}")
    return grid


def resized_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Vectors of the places of one grid, (rows, places, size), drawn out to another grid."""
    if old == new:
        return positions
    planes = positions.unflatten(1, old).permute(0, 3, 1, 2)
    planes = F.interpolate(planes, size=new, mode="bicubic", align_corners=False)
    return planes.flatten(2).transpose(1, 2)


class PatchProjection(nn.Conv2d):
    """Cut an image into patches and make each a vector: (batch, channels, height, width) -> (batch, places, size)."""

    def __init__(self, config: Any, bias: bool = True) -> None:
        patch = two(config.patch_size)
        super().__init__(config.num_channels, config.hidden_size, kernel_size=patch, stride=patch, bias=bias)

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels).flatten(2).transpose(1, 2)
