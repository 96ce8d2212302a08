"""Image processors: a class is its defaults, and what it does differently from

    convert to RGB -> resize -> crop the middle -> rescale to 0..1 -> normalize -> pad the batch

The numbers are those of the incumbent's Pillow path (its "slow" processors).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from . import image_steps as steps
from .features import BatchFeature
from .files import Preprocessor, check_values, unknown_option
from .images import LAST, as_array, as_layout
from .sources import say_once

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
CLIP = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
BILINEAR, BICUBIC = 2, 3  # Pillow's numbers, which stand in the files

_OPTIONS = """do_convert_rgb do_resize size default_to_square resample do_center_crop crop_size do_rescale
rescale_factor do_normalize image_mean image_std do_pad pad_size input_data_format data_format""".split()
# Options of a call that change nothing: they choose among the incumbent's implementations.
NO_EFFECT = ("device", "disable_grouping", "return_metadata")
_SIZES = ("size", "crop_size", "pad_size")

Options = SimpleNamespace


class BaseImageProcessor(Preprocessor):
    """Images -> `pixel_values`, of shape (batch, channels, height, width) with `return_tensors="pt"` or "np".

    Images are PIL images, arrays or tensors of 2 or 3 axes (4: a batch), paths, URLs, bytes, or lists of these. A call
    may override every setting: `do_convert_rgb, do_resize, size, resample, do_center_crop, crop_size, do_rescale,
    rescale_factor, do_normalize, image_mean, image_std, do_pad, pad_size`; `input_data_format` and `data_format` are
    "channels_first" or "channels_last". Files are turned upright by their EXIF data and read as RGB; PIL images are
    taken as they lie, and become RGB where their channels would not fit `image_mean`. An image that does not fit is a
    ValueError that names it.
    """

    part = "image_processor"
    defaults: ClassVar[dict[str, Any]] = {}
    own_options: ClassVar[tuple[str, ...]] = ()  # of this class beyond the common ones
    default_to_square = True
    model_input_names = ["pixel_values"]

    def __init__(self, **settings: Any) -> None:
        defaults = {"do_rescale": True, "rescale_factor": 1 / 255, **self.defaults}
        # null in a file switches a default off
        given = {key: value for key, value in settings.items() if value is not None or key in defaults}
        super().__init__(**self._with_sizes({**defaults, **given}))

    def __getattr__(self, name: str) -> Any:
        if self.is_setting(name):  # one that has no value
            return None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @classmethod
    def options(cls) -> list[str]:
        """What a call may override, and the constructor takes."""
        return [*_OPTIONS, *cls.own_options]

    settings = options

    def __call__(self, images: Any, **options: Any) -> BatchFeature:
        return self.preprocess(images, **options)

    def preprocess(self, images: Any, return_tensors: Any = None, **options: Any) -> BatchFeature:
        """See the class. Without `return_tensors` values are lists of arrays."""
        o = self._options(options)
        arrays = [self._array(image, f"images[{index}]", o) for index, image in enumerate(flat_list(images))]
        pixels = [self._steps(array, f"images[{index}]", o) for index, array in enumerate(arrays)]
        if o.do_pad and self._pads_batches:
            pixels = self._padded(pixels, o)
        return BatchFeature({"pixel_values": [laid_out(image, o) for image in pixels]}, return_tensors)

    # --- parts, which classes override

    _pads_batches = True

    def _steps(self, image: np.ndarray, name: str, o: Options) -> np.ndarray:
        if o.do_resize:
            image = self._resize(image, name, o)
        if o.do_center_crop:
            image = steps.center_crop(image, o.crop_size)
        return self._scaled(image, o)

    def _resize(self, image: np.ndarray, name: str, o: Options) -> np.ndarray:
        return steps.resize(image, self._output_size(image.shape[1], image.shape[2], o.size), o.resample, name)

    def _output_size(self, height: int, width: int, size: steps.Size) -> tuple[int, int]:
        return steps.output_size(height, width, size)

    def _scaled(self, image: np.ndarray, o: Options) -> np.ndarray:
        if o.do_rescale:
            image = steps.rescale(image, o.rescale_factor)
        return steps.normalize(image, o.image_mean, o.image_std) if o.do_normalize else image

    def _with_sizes(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The sizes among settings as dictionaries. Old files hold numbers."""
        square = settings.get("default_to_square", self.default_to_square)
        for name in _SIZES:
            if name in settings:
                settings[name] = steps.as_size(settings[name], name, square if name == "size" else True)
        return settings

    # --- shared

    def _options(self, given: dict[str, Any]) -> Options:
        """What holds in this call: its options, where they are not None, over the settings."""
        allowed = self.options()
        for key in given:
            if key not in allowed and key not in NO_EFFECT:
                raise unknown_option(type(self).__name__, "option", key, allowed)
        check_values(given)
        named = {key: value for key, value in given.items() if value is not None}
        o = Options(**self._with_sizes({key: named.get(key, getattr(self, key)) for key in allowed}))
        o.input_data_format = as_layout(o.input_data_format, "input_data_format")
        o.data_format = as_layout(o.data_format, "data_format")
        needs = {
            "do_resize": ("size", "resample"),
            "do_center_crop": ("crop_size",),
            "do_rescale": ("rescale_factor",),
            "do_normalize": ("image_mean", "image_std"),
        }
        for switch, keys in needs.items():
            for key in keys:
                if getattr(o, switch) and getattr(o, key) is None:
                    raise ValueError(f"{switch}=True needs {key}, which is None: give {key}=…, or {switch}=False.")
        return o

    def _array(self, image: Any, name: str, o: Options) -> np.ndarray:
        array = as_array(image, name, o.do_convert_rgb, o.input_data_format)
        channels = array.shape[0]
        wanted = [len(list(value)) for value in (o.image_mean, o.image_std) if isinstance(value, Iterable)]
        if o.do_normalize and channels != 3 and 3 in wanted and getattr(image, "mode", "F") != "F":
            array, channels = as_array(image, name, convert_rgb=True), 3
        for key in ("image_mean", "image_std"):
            value = getattr(o, key)
            if o.do_normalize and isinstance(value, Iterable) and len(list(value)) != channels:
                raise ValueError(
                    f"{name} has {channels} channel{'s' * (channels > 1)}, but {key} has {len(list(value))} values: "
                    "pass do_convert_rgb=True (or image.convert('RGB')), or one value for each channel."
                )
        if o.do_rescale and array.dtype.kind == "f" and o.rescale_factor < 1 and array.min() >= 0 and array.max() <= 1:
            say_once(
                "An image already has values from 0 to 1 and is divided by 255 once more: pass do_rescale=False for it."
            )
        return array

    def _padded(self, images: list[np.ndarray], o: Options) -> list[np.ndarray]:
        height, width = padded_size(images, o.pad_size)
        return [steps.pad(image, height, width, f"images[{index}]") for index, image in enumerate(images)]


def flat_list(images: Any) -> list[Any]:
    """One image, a batch, a list or a list of lists of images as one list."""
    if images is None or (isinstance(images, (list, tuple)) and not images):
        raise ValueError(f"There are no images: images is {images!r}.")
    return list(_flat(images))


def _flat(images: Any) -> Iterator[Any]:
    if isinstance(images, (list, tuple)):
        for item in images:
            yield from _flat(item)
    elif getattr(images, "ndim", 0) == 4:
        yield from images
    else:
        yield images


def padded_size(images: list[np.ndarray], pad_size: steps.Size | None) -> tuple[int, int]:
    """The `pad_size`, or the greatest height and width among the images."""
    if pad_size is None:
        return max(image.shape[-2] for image in images), max(image.shape[-1] for image in images)
    if "height" not in pad_size:
        raise ValueError(f"pad_size={pad_size} needs 'height' and 'width'.")
    return pad_size["height"], pad_size["width"]


def laid_out(image: np.ndarray, o: Options) -> np.ndarray:
    return np.moveaxis(image, 0, -1) if o.data_format == LAST else image


# --- the classes


class ViTImageProcessor(BaseImageProcessor):
    defaults = {
        "do_resize": True,
        "size": {"height": 224, "width": 224},
        "resample": BILINEAR,
        "do_normalize": True,
        **HALF,
    }


class DeiTImageProcessor(BaseImageProcessor):
    defaults = {
        **ViTImageProcessor.defaults,
        "size": {"height": 256, "width": 256},
        "resample": BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    }


class BlipImageProcessor(BaseImageProcessor):
    defaults = {
        **ViTImageProcessor.defaults,
        "size": {"height": 384, "width": 384},
        "resample": BICUBIC,
        "do_convert_rgb": True,
        **CLIP,
    }


class SiglipImageProcessor(BaseImageProcessor):
    default_to_square = False
    defaults = {**ViTImageProcessor.defaults, "resample": BICUBIC, "do_convert_rgb": True}


class CLIPImageProcessor(BaseImageProcessor):
    """`use_square_size=True`, in some files, makes both edges of `size` what the shortest one is."""

    default_to_square = False
    old_names = ("use_square_size",)
    defaults = {
        **ViTImageProcessor.defaults,
        "size": {"shortest_edge": 224},
        "resample": BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "do_convert_rgb": True,
        **CLIP,
    }

    def __init__(self, **settings: Any) -> None:
        if settings.pop("use_square_size", False):
            edge = self.defaults["size"]["shortest_edge"]
            settings["size"] = {"height": edge, "width": edge}
        super().__init__(**settings)


class BitImageProcessor(CLIPImageProcessor):
    pass


class LlavaImageProcessor(CLIPImageProcessor):
    """With `do_pad=True` each image is first set in the middle of a square of the mean colour."""

    defaults = {**CLIPImageProcessor.defaults, "do_pad": False}
    _pads_batches = False

    def _steps(self, image: np.ndarray, name: str, o: Options) -> np.ndarray:
        if o.do_pad:
            mean = o.image_mean if isinstance(o.image_mean, Iterable) else [o.image_mean or 0]
            image = steps.pad_to_square(image, [int(value * 255) for value in mean])
        return super()._steps(image, name, o)


class ConvNextImageProcessor(BaseImageProcessor):
    """For sizes below 384 an image is made larger by 1 / `crop_pct`, and its middle cut out; else it is squeezed."""

    default_to_square = False
    own_options = ("crop_pct",)
    defaults = {
        **ViTImageProcessor.defaults,
        "size": {"shortest_edge": 384},
        "resample": BICUBIC,
        "crop_pct": 224 / 256,
    }
    _pads_batches = False

    def _resize(self, image: np.ndarray, name: str, o: Options) -> np.ndarray:
        if "shortest_edge" not in o.size:
            raise ValueError(f"size={o.size} of {type(self).__name__} needs 'shortest_edge': {{'shortest_edge': 224}}.")
        edge = o.size["shortest_edge"]
        if edge >= 384:
            return steps.resize(image, (edge, edge), o.resample, name)
        larger = steps.shortest_edge_size(image.shape[1], image.shape[2], int(edge / o.crop_pct))
        return steps.center_crop(steps.resize(image, larger, o.resample, name), {"height": edge, "width": edge})
