"""The steps from an image to a model's pixels, each a function of an array (channels, height, width)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .images import pil

Size = dict[str, int]

SIZE_KEYS = (
    {"height", "width"},
    {"shortest_edge"},
    {"shortest_edge", "longest_edge"},
    {"longest_edge"},
    {"max_height", "max_width"},
)


def as_size(value: Any, name: str, square: bool = True, longest: int | None = None) -> Size | None:
    """A size as files and callers write it, as a dictionary of edges.

    A number is both edges, or with `square=False` the shortest one (and `longest` the limit of the other); a pair is
    (height, width). Raises ValueError for anything else.
    """
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        edge = int(value)
        size = {"height": edge, "width": edge} if square else {"shortest_edge": edge}
        if longest is not None and not square:
            size["longest_edge"] = longest
    elif isinstance(value, (list, tuple)):
        size = dict(zip(("height", "width"), value, strict=False)) if len(value) in (1, 2) else {}
        size.setdefault("width", size.get("height", 0))
    else:
        try:
            size = {key: edge for key, edge in dict(value).items() if edge is not None}
        except (TypeError, ValueError):
            size = {}
    whole = all(isinstance(edge, (int, np.integer)) and edge > 0 for edge in size.values())
    if set(size) not in SIZE_KEYS or not whole:
        raise ValueError(
            f"{name}={value!r} is no size: give {{'height': 224, 'width': 224}}, {{'shortest_edge': 224}}, "
            "{'shortest_edge': 800, 'longest_edge': 1333} or {'max_height': 600, 'max_width': 800}, with edges above 0."
        )
    return {key: int(edge) for key, edge in size.items()}


def output_size(height: int, width: int, size: Size) -> tuple[int, int]:
    """(height, width) that an image of this height and width gets. An edge never becomes 0."""
    if "shortest_edge" in size and "longest_edge" in size:
        new = limited_size(height, width, size["shortest_edge"], size["longest_edge"])
    elif "shortest_edge" in size:
        new = shortest_edge_size(height, width, size["shortest_edge"])
    elif "max_height" in size:
        scale = min(size["max_height"] / height, size["max_width"] / width)
        new = int(height * scale), int(width * scale)
    elif "height" in size:
        new = size["height"], size["width"]
    else:
        raise ValueError(
            f"size={size} gives no size to resize to: it needs 'height' and 'width', 'shortest_edge', or 'max_height' "
            "and 'max_width'."
        )
    return max(new[0], 1), max(new[1], 1)


def shortest_edge_size(height: int, width: int, edge: int) -> tuple[int, int]:
    """The shorter edge becomes `edge`, the other keeps its ratio, rounded down."""
    longer = int(edge * max(height, width) / min(height, width))
    return (longer, edge) if width <= height else (edge, longer)


def limited_edge(height: int, width: int, shortest: int, longest: int | None) -> float:
    """What the shorter edge becomes, before rounding, where the longer one may not pass `longest`."""
    if longest is not None and max(height, width) / min(height, width) * shortest > longest:
        return longest * min(height, width) / max(height, width)
    return shortest


def limited_size(height: int, width: int, shortest: int, longest: int) -> tuple[int, int]:
    """The shorter edge becomes `shortest`, unless the longer one would then pass `longest`: then that one does."""
    exact = limited_edge(height, width, shortest, longest)
    edge = round(exact)
    if min(height, width) == edge:
        return height, width
    return (int(exact * height / width), edge) if width < height else (edge, int(exact * width / height))


def resize(image: np.ndarray, size: tuple[int, int], resample: int, name: str = "the image") -> np.ndarray:
    """To (height, width), by Pillow, which holds eight bits: values of 0 to 1 go through 255 steps and come back."""
    unit = _is_unit_interval(image, name)
    pixels = (image.astype(np.float64) * 255).astype(np.float32) if unit else image
    pixels = np.moveaxis(pixels.astype(np.uint8), 0, -1)
    picture = pil().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels))
    resized = np.asarray(picture.resize((size[1], size[0]), resample=resample))
    resized = resized[None] if resized.ndim == 2 else np.moveaxis(resized, -1, 0)
    return rescale(resized, 1 / 255) if unit else resized


def _is_unit_interval(image: np.ndarray, name: str) -> bool:
    """Whether values are fractions from 0 to 1; False for whole numbers from 0 to 255. Others are a ValueError."""
    if image.dtype == np.uint8:
        return False
    low, high = image.min(), image.max()
    whole = image.dtype.kind in "biu" or np.allclose(image, image.astype(int))
    if low >= 0 and high <= (255 if whole else 1):
        return not whole
    raise ValueError(
        f"{name} has values from {low:g} to {high:g}, but it can be resized only with whole numbers from 0 to 255 or "
        "fractions from 0 to 1: scale it first, or pass do_resize=False."
    )


def center_crop(image: np.ndarray, size: Size) -> np.ndarray:
    """The middle of (size["height"], size["width"]); where the image is smaller, zeros around it."""
    height, width = image.shape[-2:]
    if "height" not in size:
        raise ValueError(f"crop_size={size} needs 'height' and 'width'.")
    new_height, new_width = size["height"], size["width"]
    top, left = (height - new_height) // 2, (width - new_width) // 2
    if top >= 0 and left >= 0:
        return image[..., top : top + new_height, left : left + new_width]
    canvas = np.zeros((*image.shape[:-2], max(height, new_height), max(width, new_width)), dtype=image.dtype)
    above, before = math.ceil((canvas.shape[-2] - height) / 2), math.ceil((canvas.shape[-1] - width) / 2)
    canvas[..., above : above + height, before : before + width] = image
    top, left = top + above, left + before
    return canvas[..., top : top + new_height, left : left + new_width]


def rescale(image: np.ndarray, factor: float) -> np.ndarray:
    """Times `factor`, as float32."""
    return image.astype(np.float32) * np.float32(factor)


def normalize(image: np.ndarray, mean: float | Sequence[float], std: float | Sequence[float]) -> np.ndarray:
    """(value - mean) / std, with one number for all channels or one for each."""
    if image.dtype.kind != "f":
        image = image.astype(np.float32)
    middle, spread = (np.asarray(value, dtype=image.dtype).reshape(-1, 1, 1) for value in (mean, std))
    shifted = image - middle
    shifted /= spread
    return shifted


def pad(image: np.ndarray, height: int, width: int, name: str = "the image") -> np.ndarray:
    """With zeros below and to the right, up to this height and width."""
    below, right = height - image.shape[-2], width - image.shape[-1]
    if below < 0 or right < 0:
        raise ValueError(
            f"{name} of {image.shape[-2]} x {image.shape[-1]} does not fit into the padded size {height} x {width}: "
            "make pad_size larger, or resize it."
        )
    return np.pad(image, [(0, 0)] * (image.ndim - 2) + [(0, below), (0, right)])


def pad_to_square(image: np.ndarray, colour: Sequence[int] | int) -> np.ndarray:
    """In the middle of a square of its longer edge; `colour` has a value for each channel."""
    channels, height, width = image.shape
    edge = max(height, width)
    if height == width:
        return image
    square = np.empty((channels, edge, edge), dtype=image.dtype)
    square[:] = np.asarray(colour).reshape(-1, 1, 1)
    top, left = (edge - height) // 2, (edge - width) // 2
    square[:, top : top + height, left : left + width] = image
    return square
