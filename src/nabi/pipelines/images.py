"""One image as people pass it -> a PIL image, RGB and upright; and what the tasks that look at images share.

path, URL, data: or base64 text, bytes, open file, PIL image, array, tensor -> as_image -> the model's image processor
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..processing import load_image
from ..processing.images import as_array, pil
from ..processing.sources import from_base64, is_file_like, opened
from .base import Pipeline

if TYPE_CHECKING:
    from PIL.Image import Image

# How base64 text of a PNG, JPEG, GIF or WebP file begins, where no "data:" stands before it.
_BASE64 = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
_WAYS = "pass a path, a URL, a PIL image, bytes or an array of (height, width, channels)"


class ImagePipeline(Pipeline):
    """A pipeline whose item is one image. Images are large, so few of them are read ahead and run together."""

    needs: ClassVar[tuple[str, ...]] = ("image_processor",)
    usual_batch_size = 8
    read_ahead = 2

    def __call__(self, inputs: Any = None, **settings: Any) -> Any:
        """One image -> its result; a list, or an array or tensor of four axes -> a list; a generator -> an iterator.

        images=… and image=… are other names of the first argument.
        """
        inputs = one_of(inputs, settings, ("images", "image"), self.task)
        if getattr(inputs, "ndim", 0) == 4:
            inputs = list(inputs)
        return super().__call__(inputs, **settings)

    def is_one(self, inputs: Any) -> bool:
        return is_one_image(inputs) or isinstance(inputs, Mapping)

    def pixels_of(self, image: Image, **options: Any) -> dict[str, Any]:
        """What the image processor makes of it, in the model's dtype."""
        assert self.image_processor is not None
        return dict(self.image_processor(image, return_tensors="pt", **options).to(self.dtype))


def is_one_image(value: Any) -> bool:
    """Whether this is one image, readable or not, and no list or batch of them."""
    if is_file_like(value) or hasattr(value, "getbands") or getattr(value, "ndim", 4) < 4:
        return getattr(getattr(value, "dtype", None), "kind", "u") not in "OUS"  # an array of paths is many
    return not (isinstance(value, Iterable) or hasattr(value, "__getitem__"))


def as_image(source: Any, timeout: float | None = None) -> Image:
    """Any image that a user has, as a PIL image: RGB (what is transparent shows white), turned as EXIF data says.

    timeout: seconds for a URL. TypeError or ValueError, with the image's name and the remedy, for what is no image.
    """
    if hasattr(source, "getbands"):
        return load_image(source)
    if hasattr(source, "__array__"):
        return from_pixels(source)
    if isinstance(source, Mapping):
        raise TypeError(f"a mapping with the keys {list(source)} is no image: pass the image in it alone")
    if not is_file_like(source):
        said = "None" if source is None else f"{source!r:.80} of the type {type(source).__name__}"
        raise TypeError(f"{said} is no image: {_WAYS}")
    content, name = content_of(source, timeout)
    begin = content[:200].lstrip().lower()
    if not content:
        raise ValueError(f"{name} is empty, so there is no image in it: fetch or save it again")
    if begin.startswith((b"<!doctype html", b"<html")):
        raise ValueError(
            f"{name} is a web page (HTML) and no image: pass the address of the image itself, which on the Hub and on "
            "GitHub has /resolve/ or /raw/ where that of the page has /blob/"
        )
    if begin.startswith((b"<svg", b"<?xml")):
        raise ValueError(f"{name} is a drawing (SVG or other XML) and has no pixels: save it as PNG")
    return load_image(content, name=name)


def content_of(source: Any, timeout: float | None) -> tuple[bytes, str]:
    """The bytes of a path, URL, base64 text, open file, and what to call it in messages."""
    if isinstance(source, str) and not source.strip():
        raise ValueError(f"{source!r} is an empty text, and names no image: {_WAYS}")
    if isinstance(source, str) and source.startswith(_BASE64):
        return from_base64(source, "the image"), "the image (base64)"
    try:
        stream, name = opened(source, timeout, "the image", "a PIL image")
        content = stream.read_bytes() if isinstance(stream, Path) else stream.read()
    except OSError as error:  # not there, not to be read, or not to be had from its server
        raise ValueError(str(error)) from error
    if not isinstance(content, bytes):
        raise TypeError(f"{name} was opened as text: open it with open(…, 'rb')")
    return content, name


def from_pixels(array: Any) -> Image:
    """An array or tensor (height, width), (height, width, channels) or (channels, height, width) as an image.

    Whole numbers go from 0 to 255; others from 0 to 1 if none is larger, else from 0 to 255.
    """
    pixels = as_array(array, "the image").astype(np.float64)
    low, high = pixels.min(), pixels.max()
    kind = "uint8" if not hasattr(array, "dtype") else str(array.dtype)
    if low < 0 or high > 255:
        raise ValueError(
            f"the image has values from {low:g} to {high:g}, and pixels go from 0 to 255 (or from 0 to 1): pass it as "
            "it was before it was normalized, for the pipeline does that"
        )
    if "bool" in kind or ("float" in kind and high <= 1):
        pixels = pixels * 255
    pixels = np.moveaxis(pixels.round().astype(np.uint8), 0, -1)
    return load_image(pil().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))


def one_of(inputs: Any, settings: dict[str, Any], names: tuple[str, ...], task: str) -> Any:
    """The first argument, or what stands among the keywords under one of its other names."""
    given = [inputs] if inputs is not None else []
    given += [settings.pop(name) for name in names if name in settings]
    if len(given) > 1:
        raise TypeError(f"{task} got its input {len(given)} times: as the first argument, or as {' or '.join(names)}")
    only = given[0] if given else None
    if only is None:
        raise TypeError(f"{task} got no image: {_WAYS}")
    return only


def checked_timeout(timeout: float | None) -> dict[str, Any]:
    """The setting of preprocess, if it was given. ValueError for what are no seconds."""
    if timeout is None:
        return {}
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout <= 0:
        raise ValueError(f"timeout is {timeout!r}; expected a number of seconds above 0, or None")
    return {"timeout": timeout}
