"""Image processors give the incumbent's numbers, for every size, mode and option, and read and write its files."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_inputs import SIZES, assert_same, picture

import nabi
from nabi import processing

NAMES = [name.removesuffix("ImageProcessor") for name in processing.IMAGE_PROCESSORS]
PLAIN = [name for name in NAMES if name not in ("Detr", "Yolos")]

OPTIONS: list[dict[str, Any]] = [
    {},
    {"size": 48},
    {"do_resize": False, "do_center_crop": True, "crop_size": 40},
    {"do_center_crop": True, "crop_size": {"height": 51, "width": 300}},
    {"do_normalize": False},
    {"do_rescale": False},
    {"resample": 0},
    {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7], "rescale_factor": 1 / 127.5},
    {"image_mean": 0.5, "image_std": 0.25},
    {"size": {"height": 33, "width": 55}},
    {"size": {"max_height": 50, "max_width": 70}},
    {"size": {"shortest_edge": 40}},
    {"size": {"shortest_edge": 40, "longest_edge": 90}},
    {"do_pad": True, "size": {"height": 33, "width": 55}, "do_center_crop": False},
]


def both(name: str, incumbent: ModuleType, **settings: Any) -> tuple[Any, Any]:
    ours = getattr(nabi, f"{name}ImageProcessor")(**settings)
    return ours, getattr(incumbent, f"{name}ImageProcessorPil")(**settings)


def outcome(processor: Any, images: Any, options: dict[str, Any]) -> Any:
    """What a call gives, or the error that it raises."""
    try:
        return processor(images, return_tensors="np", **options)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # SizeDict has no keys(), which it forgets
        return error


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", PLAIN)
def test_every_option_gives_the_incumbents_pixels(name: str, options: dict[str, Any], incumbent: ModuleType) -> None:
    ours, theirs = both(name, incumbent)
    for height, width in SIZES:
        image = picture(height, width)
        own, their = outcome(ours, image, options), outcome(theirs, image, options)
        if isinstance(their, Exception):  # what the incumbent refuses is refused
            assert isinstance(own, ValueError), (name, options)
        else:
            assert_same(own, their)


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "CMYK", "1", "YCbCr"])
@pytest.mark.parametrize("name", ["ViT", "CLIP", "Llava", "ConvNext"])
def test_every_mode_becomes_rgb_as_the_incumbent_does_it(name: str, mode: str, incumbent: ModuleType) -> None:
    ours, theirs = both(name, incumbent, do_convert_rgb=True)
    for height, width in SIZES[:3]:
        image = picture(height, width, mode)
        assert_same(ours(image, return_tensors="np"), theirs(image, return_tensors="np"))


def test_a_palette_with_a_transparent_colour_lies_on_white(incumbent: ModuleType) -> None:
    image = picture(20, 20, "P")
    image.info["transparency"] = 3
    ours, theirs = both("CLIP", incumbent)
    assert_same(ours(image, return_tensors="np"), theirs(image, return_tensors="np"))


@pytest.mark.parametrize("kind", ["hwc", "chw", "float", "unit", "tensor", "grey", "rgba", "four axes", "nested"])
@pytest.mark.parametrize("name", ["ViT", "CLIP", "Llava", "ConvNext", "Detr"])
def test_arrays_and_tensors_give_the_incumbents_pixels(name: str, kind: str, incumbent: ModuleType) -> None:
    pixels = np.asarray(picture(41, 30))
    options: dict[str, Any] = {}
    images: Any = {
        "hwc": pixels,
        "chw": pixels.transpose(2, 0, 1),
        "float": pixels.astype(np.float32),
        "unit": (pixels / 255).astype(np.float32),
        "tensor": torch.from_numpy(pixels.copy()).permute(2, 0, 1),
        "grey": pixels[..., :1],
        "rgba": np.asarray(picture(41, 30, "RGBA")),
        "four axes": np.stack([pixels, pixels[::-1]]),
        "nested": [[picture(41, 30)], [picture(41, 30, seed=1), pixels]],
    }[kind]
    if kind in ("grey", "rgba"):
        options["do_convert_rgb"] = True
    if kind == "unit":
        options["do_rescale"] = False
    ours, theirs = both(name, incumbent)
    assert_same(ours(images, return_tensors="np", **options), theirs(images, return_tensors="np", **options))


def test_the_layout_of_input_and_output_can_be_said(incumbent: ModuleType) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 3), dtype=np.uint8)
    ours, theirs = both("ViT", incumbent)
    for layout in ("channels_first", "channels_last"):
        assert_same(
            ours(pixels, return_tensors="np", input_data_format=layout),
            theirs(pixels, return_tensors="np", input_data_format=layout),
        )
    last = ours(pixels, return_tensors="np", input_data_format="channels_last", data_format="channels_last")
    assert last.pixel_values.shape == (1, 224, 224, 3)
    with pytest.raises(ValueError, match="data_format='sideways' is unknown: use 'channels_first'"):
        ours(pixels, data_format="sideways")


def test_a_path_gives_what_the_loaded_image_gives(tmp_path: Path, incumbent: ModuleType) -> None:
    picture(30, 40, "CMYK").save(tmp_path / "print.jpg")
    picture(30, 40, "RGBA").save(tmp_path / "icon.png")
    ours, theirs = both("ViT", incumbent)
    for name in ("print.jpg", "icon.png"):
        path = str(tmp_path / name)
        # The incumbent shows the hidden colours of a path, and lays an opened image on white; here both are.
        their = theirs(Image.open(path), do_convert_rgb=True, return_tensors="np")
        for source in (path, Path(path).read_bytes(), Image.open(path)):
            assert_same(ours(source, return_tensors="np"), their)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("name", ["ViT", "DeiT", "ConvNext", "Detr", "Yolos"])
def test_pil_images_that_the_incumbent_refuses_become_rgb(name: str, mode: str, incumbent: ModuleType) -> None:
    ours, theirs = both(name, incumbent)
    if mode == "I;16":
        image = Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40))
    else:
        image = picture().convert("P") if mode == "P" else picture(mode=mode)  # of RGBA it has no plain palette
    with pytest.raises((ValueError, TypeError)):
        theirs(image, return_tensors="np")
    own = ours([image, picture(*image.size[::-1])], return_tensors="np").pixel_values[0]
    layout = "TIFF" if mode in ("CMYK", "LA", "I;16") else "PNG"
    stream = io.BytesIO()
    image.save(stream, layout)
    assert np.array_equal(own, ours(stream.getvalue(), return_tensors="np").pixel_values[0])


@pytest.mark.parametrize("options", [{"do_normalize": False}, {"image_mean": 0.5, "image_std": 0.5}], ids=str)
def test_a_grey_image_that_the_incumbent_takes_stays_grey(options: dict[str, Any], incumbent: ModuleType) -> None:
    ours, theirs = both("ViT", incumbent, **options)
    own = ours(picture(mode="L"), return_tensors="np")
    assert own.pixel_values.shape == (1, 1, 224, 224)
    assert_same(own, theirs(picture(mode="L"), return_tensors="np"))


def test_tensors_lists_and_arrays_are_returned_as_asked() -> None:
    processor = nabi.ViTImageProcessor(size=8)
    images = [picture(), picture(20, 20)]
    assert isinstance(processor(images, return_tensors="pt").pixel_values, torch.Tensor)
    assert processor(images, return_tensors="pt")["pixel_values"].shape == (2, 3, 8, 8)
    listed = processor(images)["pixel_values"]
    assert isinstance(listed, list) and listed[1].shape == (3, 8, 8)
    assert processor.preprocess(images, return_tensors="np").pixel_values.dtype == np.float32


def test_images_of_unlike_sizes_are_padded_on_request_and_refused_as_a_tensor_otherwise(incumbent: ModuleType) -> None:
    images = [picture(20, 30), picture(25, 10)]
    ours, theirs = both("ViT", incumbent, do_resize=False)
    assert_same(
        ours(images, do_pad=True, return_tensors="np"),
        theirs(images, do_pad=True, return_tensors="np"),
    )
    with pytest.raises(ValueError, match=r"'pixel_values' has items of shapes \(3, 20, 30\) and \(3, 25, 10\)"):
        ours(images, return_tensors="pt")
    with pytest.raises(ValueError, match=r"images\[1\] of 25 x 10 does not fit into the padded size 22 x 30"):
        ours(images, do_pad=True, pad_size={"height": 22, "width": 30})


def test_llavas_squares_are_the_incumbents(incumbent: ModuleType) -> None:
    ours, theirs = both("Llava", incumbent, do_pad=True, size=40, crop_size=40)
    images = [picture(*size) for size in SIZES]
    assert_same(ours(images, return_tensors="np"), theirs(images, return_tensors="np"))


@pytest.mark.parametrize("edge", [30, 224, 383, 384, 400])
def test_convnexts_crop_depends_on_the_size(edge: int, incumbent: ModuleType) -> None:
    ours, theirs = both("ConvNext", incumbent, size={"shortest_edge": edge}, crop_pct=0.9)
    assert_same(ours(picture(), return_tensors="np"), theirs(picture(), return_tensors="np"))
    assert_same(
        ours(picture(), crop_pct=0.5, return_tensors="np"), theirs(picture(), crop_pct=0.5, return_tensors="np")
    )


# --- settings and files

OLD_FILES: dict[str, dict[str, Any]] = {
    "google/vit-base-patch16-224": {"do_normalize": True, "do_resize": True, "image_mean": [0.5] * 3, "size": 224},
    "openai/clip-vit-base-patch32": {
        "crop_size": 224,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "resample": 3,
        "size": 224,
    },
    "facebook/convnext-tiny-224": {
        "crop_pct": 0.875,
        "feature_extractor_type": "ConvNextFeatureExtractor",
        "image_mean": [0.485, 0.456, 0.406],
        "size": 224,
    },
    "facebook/detr-resnet-50": {
        "feature_extractor_type": "DetrFeatureExtractor",
        "format": "coco_detection",
        "max_size": 1333,
        "size": 800,
    },
    "hustvl/yolos-tiny": {
        "image_processor_type": "YolosImageProcessor",
        "do_pad": True,
        "format": "coco_detection",
        "size": {"longest_edge": 1333, "shortest_edge": 512},
    },
    "facebook/deit-base-distilled-patch16-224": {
        "crop_size": 224,
        "feature_extractor_type": "DeiTFeatureExtractor",
        "size": 256,
        "do_center_crop": None,
    },
}


@pytest.mark.parametrize("name", OLD_FILES)
def test_files_of_the_hub_mean_what_the_incumbent_reads_in_them(
    name: str, tmp_path: Path, incumbent: ModuleType
) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(OLD_FILES[name]))
    kind = OLD_FILES[name].get("image_processor_type", OLD_FILES[name].get("feature_extractor_type", "ViT"))
    kind = kind.removesuffix("FeatureExtractor").removesuffix("ImageProcessor")
    ours = getattr(nabi, f"{kind}ImageProcessor").from_pretrained(tmp_path)
    theirs = getattr(incumbent, f"{kind}ImageProcessorPil").from_pretrained(tmp_path)
    own, their = (side(picture(60, 80), return_tensors="np") for side in (ours, theirs))
    assert_same(own, {key: their[key] for key in own})


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_incumbents_and_folders_go_both_ways(name: str, tmp_path: Path, incumbent: ModuleType) -> None:
    ours, theirs = both(name, incumbent)
    theirs.save_pretrained(tmp_path / "theirs")
    written = json.loads((tmp_path / "theirs" / "preprocessor_config.json").read_text())
    assert json.loads(ours.to_json_string()) == written
    settings = dict(image_std=[0.3, 0.4, 0.5], do_rescale=False, resample=0, note=7)
    changed = getattr(nabi, f"{name}ImageProcessor").from_dict(settings)
    changed.save_pretrained(tmp_path / "ours")
    again = getattr(nabi, f"{name}ImageProcessor").from_pretrained(tmp_path / "ours")
    assert again.to_dict() == changed.to_dict() and again.note == 7
    read = getattr(incumbent, f"{name}ImageProcessorPil").from_pretrained(tmp_path / "ours")
    own, their = changed(picture(), return_tensors="np"), read(picture(), return_tensors="np")
    assert_same(own, {key: their[key] for key in own})
    back = getattr(nabi, f"{name}ImageProcessor").from_pretrained(tmp_path / "theirs")
    assert back.to_dict() == ours.to_dict()


def test_keywords_of_from_pretrained_win_and_unused_ones_can_be_had(tmp_path: Path) -> None:
    nabi.ViTImageProcessor().save_pretrained(tmp_path)
    made, rest = nabi.ViTImageProcessor.from_pretrained(
        tmp_path, size=32, do_normalize=False, foo=1, use_fast=True, return_unused_kwargs=True
    )
    assert made.size == {"height": 32, "width": 32} and made.do_normalize is False and rest == {"foo": 1}
    by_file = nabi.ViTImageProcessor.from_pretrained(tmp_path / "preprocessor_config.json")
    assert by_file.size == {"height": 224, "width": 224}
    assert pickle.loads(pickle.dumps(made)).to_dict() == made.to_dict()


def test_settings_may_be_changed_on_the_object() -> None:
    processor = nabi.CLIPImageProcessor()
    processor.size, processor.crop_size, processor.do_normalize = 30, 20, False
    assert processor(picture(), return_tensors="np").pixel_values.shape == (1, 3, 20, 20)


def test_a_keyword_that_is_no_setting_is_mentioned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nabi.ViTImageProcessor().save_pretrained(tmp_path)
    nabi.ViTImageProcessor.from_pretrained(tmp_path, do_resiz=False)
    assert "ViTImageProcessor has no setting 'do_resiz': it is left out." in caplog.text


WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"do_resize": "no"}, "do_resize='no' is neither True nor False"),
    ({"do_normalize": 1}, "do_normalize=1 is neither"),
    ({"image_std": [0.5, 0.0, 0.5]}, r"image_std=\[0.5, 0.0, 0.5\] holds a zero"),
    ({"image_std": 0}, "image_std=0 holds a zero"),
    ({"image_mean": ["a", 0.5, 0.5]}, "image_mean=.* is not a number, or a list of one for each channel"),
    ({"image_mean": [float("nan")] * 3}, "image_mean=.* is not a number"),
    ({"image_mean": []}, "image_mean=.* is not a number"),
    ({"rescale_factor": 0}, "rescale_factor=0 is not above 0"),
    ({"rescale_factor": -1 / 255}, "rescale_factor=.* is not above 0"),
    ({"rescale_factor": "1/255"}, "rescale_factor='1/255' is not a number"),
    ({"rescale_factor": True}, "rescale_factor=True is not a number"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG_SETTINGS, ids=str)
def test_a_setting_that_cannot_be_is_one_clear_error_before_any_image(settings: dict[str, Any], message: str) -> None:
    for name in NAMES:
        with pytest.raises(ValueError, match=message):
            getattr(nabi, f"{name}ImageProcessor")(**settings)
        with pytest.raises(ValueError, match=message):
            getattr(nabi, f"{name}ImageProcessor")()(picture(), **settings)


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_setting_is_refused_with_the_one_that_is_meant(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}ImageProcessor has no setting 'do_resze'. Do you mean 'do_resize'?"):
        getattr(nabi, f"{name}ImageProcessor")(do_resze=False)


@pytest.mark.parametrize("name", NAMES)
def test_what_published_files_hold_beside_settings_is_kept(name: str, tmp_path: Path, incumbent: ModuleType) -> None:
    for theirs in (f"{name}ImageProcessorPil", f"{name}ImageProcessor"):  # written by either of its implementations
        getattr(incumbent, theirs)().save_pretrained(tmp_path)
        file = tmp_path / "preprocessor_config.json"
        held = {**json.loads(file.read_text()), "image_seq_length": 576, "_valid_processor_keys": ["images"], "odd": 1}
        held |= {"size_divisor": None, "device": None, "auto_map": {}, "processor_class": "CLIPProcessor"}
        file.write_text(json.dumps(held))
        made = getattr(nabi, f"{name}ImageProcessor").from_pretrained(tmp_path)
        saved = json.loads(made.to_json_string())
        assert saved["image_seq_length"] == 576 and saved["odd"] == 1
        assert made(picture(), return_tensors="np").pixel_values.ndim == 4
        assert getattr(nabi, f"{name}ImageProcessor").from_json_file(file).to_dict() == made.to_dict()


def test_old_and_fast_names_are_the_same_class() -> None:
    assert nabi.ViTFeatureExtractor is nabi.ViTImageProcessor is nabi.ViTImageProcessorFast
    assert nabi.DetrFeatureExtractor is nabi.DetrImageProcessorFast is nabi.DetrImageProcessor
    assert nabi.CLIPFeatureExtractor is nabi.CLIPImageProcessor


def test_a_folder_without_files_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"neither preprocessor_config.json nor a processor_config.json"):
        nabi.ViTImageProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"do_resiz": True}, "has no option 'do_resiz'. Do you mean 'do_resize'"),
        ({"size": {"edge": 3}}, "size={'edge': 3} is no size"),
        ({"size": 0}, "size=0 is no size"),
        ({"size": {"longest_edge": 30}}, "gives no size to resize to"),
        ({"crop_size": {"shortest_edge": 3}, "do_center_crop": True}, "needs 'height' and 'width'"),
        ({"do_center_crop": True}, "do_center_crop=True needs crop_size"),
        ({"image_mean": [0.5, 0.5]}, r"images\[0\] has 3 channels, but image_mean has 2 values"),
        ({"return_tensors": "xy"}, "return_tensors='xy' is not supported"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_is_one_clear_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        nabi.ViTImageProcessor()(picture(), **options)


def test_grey_arrays_are_refused_by_name_where_nothing_converts_them() -> None:
    grey = np.asarray(picture(mode="L"))
    with pytest.raises(ValueError, match=r"images\[1\] has 1 channel, but image_mean has 3 .*do_convert_rgb=True"):
        nabi.ViTImageProcessor()([picture(), grey])
    both_kinds = nabi.ViTImageProcessor(size=8)([picture(), grey], do_convert_rgb=True, return_tensors="pt")
    assert both_kinds.pixel_values.shape == (2, 3, 8, 8)


def test_no_images_is_an_error() -> None:
    for nothing in (None, [], ()):
        with pytest.raises(ValueError, match="There are no images"):
            nabi.ViTImageProcessor()(nothing)


def test_lists_of_arrays_with_unlike_channels_name_the_one(caplog: pytest.LogCaptureFixture) -> None:
    pixels = np.asarray(picture(20, 20))
    with pytest.raises(ValueError, match=r"images\[1\] has 1 channel"):
        nabi.ViTImageProcessor()([pixels, pixels[..., 0]])
    with pytest.raises(ValueError, match=r"images\[2\] has 4 channels"):
        nabi.ViTImageProcessor()([pixels, pixels, np.asarray(picture(20, 20, "RGBA"))])


def test_fractions_that_are_divided_once_more_are_mentioned_once(caplog: pytest.LogCaptureFixture) -> None:
    fractions = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    for _ in range(3):
        nabi.ViTImageProcessor()(fractions)
    assert caplog.text.count("pass do_rescale=False") == 1


def test_values_that_no_picture_has_are_refused_with_their_range() -> None:
    wide = np.full((20, 20, 3), 3000, dtype=np.uint16)
    with pytest.raises(ValueError, match=r"images\[0\] has values from 3000 to 3000, but it can be resized only"):
        nabi.ViTImageProcessor()(wide)
    assert nabi.ViTImageProcessor(do_resize=False, size=20)(wide)["pixel_values"][0].shape == (3, 20, 20)


@pytest.mark.parametrize("name", PLAIN)
def test_an_image_does_not_depend_on_its_neighbours(name: str) -> None:
    processor = getattr(nabi, f"{name}ImageProcessor")(size={"shortest_edge": 40} if name == "ConvNext" else 40)
    images = [picture(*size) for size in SIZES]
    together = processor(images)["pixel_values"]
    for alone, row in zip(images, together, strict=True):
        assert np.array_equal(processor(alone)["pixel_values"][0], row)


def test_pictures_are_not_changed_in_place() -> None:
    pixels = np.asarray(picture()).astype(np.float32)
    before = pixels.copy()
    nabi.CLIPImageProcessor()(pixels)
    assert np.array_equal(pixels, before)
    image = Image.new("L", (5, 5))
    nabi.CLIPImageProcessor()(image)
    assert image.mode == "L"
