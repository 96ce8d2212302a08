"""Any picture that a user has -> one array of channels, height, width.

    path, URL, bytes, open file -> load_image -> PIL image, upright, RGB
    PIL image, array, tensor    -> as_array   -> (channels, height, width), nothing scaled

Pillow is imported where it is used: `pip install "nabi[vision]"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .sources import is_file_like, opened, say_once

if TYPE_CHECKING:
    from PIL.Image import Image

CHANNELS = (1, 3, 4)  # numbers of channels by which the axis of channels is known
FIRST, LAST = "channels_first", "channels_last"


def pil() -> Any:
    """The module PIL.Image, or an ImportError that says how to get it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('Images need Pillow, which is not installed: pip install "nabi[vision]".') from error
    return Image


def load_image(source: Any, timeout: float | None = None, name: str = "the image") -> Image:
    """Open a path, a URL (http, https, data), bytes, an open file or base64 text as an RGB image.

    What is transparent shows a white ground. A photograph whose EXIF data says that the camera was turned is turned
    upright; a PIL image given here as well, while processors take one as it lies, so `Image.open(path)` of such a
    photograph gives them another picture than `path`. `timeout`: seconds for a URL (default 10). Raises
    FileNotFoundError, ConnectionError or ValueError (damaged, cut off, or no image), each with the source and the
    remedy.
    """
    image_module = pil()
    from PIL import ImageOps

    if isinstance(source, image_module.Image):
        image, place = source, name
    else:
        stream, place = opened(source, timeout, name, "a PIL image")
        try:
            image = image_module.open(stream)
        except Exception as error:
            raise _damaged(place, error) from error
    if image.format == "EPS":  # Pillow would run it, with Ghostscript
        raise ValueError(
            f"{place} is a PostScript program and no picture: convert it to PNG yourself, if you trust it."
        )
    _decode(image, place)
    if image.mode == "F":
        raise ValueError(
            f"{place} has pixels of floating point, whose white is not known: pass them as a scaled array."
        )
    return _rgb(ImageOps.exif_transpose(image))


def _decode(image: Image, place: str) -> None:
    """Read the pixels now, for Pillow reads them late, and refuse an image without any."""
    try:
        image.load()
    except Exception as error:
        raise _damaged(place, error) from error
    if 0 in image.size:
        raise ValueError(f"{place} has no pixels: its size is {image.size[0]} x {image.size[1]}. Leave it out.")


def _damaged(place: str, error: Exception) -> ValueError:
    return ValueError(
        f"{place} is no image that Pillow can read, or it is damaged or cut off ({' '.join(str(error).split())}). "
        "Fetch or save it again."
    )


# --- pixels


def as_array(
    image: Any, name: str, convert_rgb: bool | None = None, input_data_format: str | None = None
) -> np.ndarray:
    """An image of any kind as (channels, height, width) with the values that it has.

    `convert_rgb=True`: three channels, transparency laid on white. The axis of channels is the one of 1, 3 or 4, the
    first if both are, unless `input_data_format` says it. Files are turned upright by their EXIF data, PIL images are
    not. `name` is what errors call the image.
    """
    if is_file_like(image):
        image = load_image(image, name=name)
    if hasattr(image, "getbands"):
        _decode(image, name)
        array = np.array(_rgb(image) if convert_rgb and image.mode != "F" else to_eight_bits(image))
        array = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
    else:
        array = _first(_numbers(image, name), name, input_data_format)
    return _three_channels(array, name) if convert_rgb else array


def _rgb(image: Image) -> Image:
    """PIL's own conversion, but what is transparent shows a white ground."""
    image = to_eight_bits(image)
    if "A" not in image.getbands() and "a" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    ground = pil().new("RGBA", image.size, (255, 255, 255, 255))
    return pil().alpha_composite(ground, image).convert("RGB")


def to_eight_bits(image: Image) -> Image:
    """Sixteen bits of grey as eight. (PIL's convert would cut them off: nearly all pixels white.)"""
    if not image.mode.startswith("I"):
        return image
    values = np.array(image).astype(np.int64)
    if values.min() < 0 or values.max() <= 255:  # eight bits in a wide mode, or no brightness at all
        return pil().fromarray(values.clip(0, 255).astype(np.uint8))
    return pil().fromarray((values.clip(0, 65535) / 257).round().astype(np.uint8))


def _numbers(image: Any, name: str) -> np.ndarray:
    """An array or tensor as a NumPy array of 2 or 3 axes with pixels in it."""
    if hasattr(image, "detach"):
        image = image.detach().cpu()
        image = image.float() if str(image.dtype) == "torch.bfloat16" else image
    if not hasattr(image, "__array__"):
        raise TypeError(
            f"{name} is of type {type(image).__name__}: give a PIL image, an array or tensor of (height, width, "
            "channels) or (channels, height, width), a path, a URL or bytes."
        )
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} is an array of {array.dtype}, which are no pixel values: give numbers.")
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"{name} has the shape {array.shape}: an image has 2 or 3 axes, and none of length 0.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values: no pixel has them. Find where they come from.")
    return array


def _first(array: np.ndarray, name: str, input_data_format: str | None) -> np.ndarray:
    """With the channels in front. A single axis of channels is added where there is none."""
    if array.ndim == 2:
        return array[None]
    layout = as_layout(input_data_format, "input_data_format")
    if layout is None:
        if array.shape[0] not in CHANNELS and array.shape[-1] not in CHANNELS:
            raise ValueError(
                f"{name} has the shape {array.shape}, with no axis of 1, 3 or 4 channels in front or behind: say where "
                "they are, input_data_format='channels_first' or 'channels_last'."
            )
        if array.shape[0] in CHANNELS and array.shape[-1] in CHANNELS:
            say_once(
                f"An image of shape {array.shape} is read as (channels, height, width), as it could be either way: "
                "input_data_format='channels_last' reads it the other way."
            )
        layout = FIRST if array.shape[0] in CHANNELS else LAST
    return np.moveaxis(array, -1, 0) if layout == LAST else array


def as_layout(value: Any, name: str) -> str | None:
    """ "channels_first", "channels_last" or None, from an enum too. Raises ValueError for anything else."""
    layout = getattr(value, "value", value)
    if layout not in (FIRST, LAST, None, "none"):
        raise ValueError(f"{name}={value!r} is unknown: use '{FIRST}' or '{LAST}'.")
    return None if layout == "none" else layout


def _three_channels(array: np.ndarray, name: str) -> np.ndarray:
    """Grey repeated, four channels as colour and opacity over white."""
    channels = array.shape[0]
    if channels == 1:
        return np.repeat(array, 3, axis=0)
    if channels != 4:
        return array
    if array.dtype.kind == "f":
        if array.min() < 0 or array.max() > 1:
            raise ValueError(
                f"{name} has four channels with values from {array.min():g} to {array.max():g}: colours of floating "
                "point with an opacity go from 0 to 1. Scale them, or give uint8."
            )
        return (array[3:] * array[:3] + (1 - array[3:])).astype(array.dtype)
    opacity = array[3:] / 255
    return np.round(opacity * array[:3] + (1 - opacity) * 255).astype(array.dtype)
