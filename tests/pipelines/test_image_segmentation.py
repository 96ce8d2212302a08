"""Image segmentation beside the incumbent's, on a tiny random DETR with its mask head."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import nabi
from nabi import pipeline
from nabi.batch.results import output_record
from nabi.cli.results import as_text

from .image_models import DETR, LABELS, RESNET, YOLOS, content, saved
from .record_images import PICTURES, picture

SIZE = {
    "size": {"shortest_edge": 96, "longest_edge": 192}
}  # smaller, the deepest map would be of one pixel, and all masks alike
# Thresholds between which the random model finds all, several, few, and no segments.
OPTIONS: list[dict[str, Any]] = [
    {},
    {"threshold": 0.0},
    {"threshold": 0.3, "mask_threshold": 0.1, "overlap_mask_area_threshold": 0.0},
    {"threshold": 0.0, "mask_threshold": 0.3, "overlap_mask_area_threshold": 0.8},
    {"threshold": 1.0, "timeout": 2},
]


def with_different_queries(model: Any) -> Any:
    """The queries of a fresh model are all but alike: louder, they find several classes at several places."""
    louder = {"query_position": 5, "decoder.layers": 1.2, "bbox_attention": 2, "class_labels": 6, "out_lay": 3}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(next((factor for part, factor in louder.items() if part in name), 1))
        model.mask_head.lay1.weight[:, DETR["d_model"] :].mul_(300)  # which read where a query looks
        out = model.eval()(**transformers.DetrImageProcessor(**SIZE)(PICTURES[0], return_tensors="pt"))
        model.detr.class_labels_classifier.bias.sub_(out.logits.mean((0, 1)))
        model.mask_head.out_lay.bias.sub_(out.pred_masks.mean())
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    images = transformers.DetrImageProcessor(**SIZE)
    fresh = transformers.DetrForSegmentation(transformers.DetrConfig(**DETR, id2label=LABELS))
    folder = saved(fresh, tmp_path_factory.mktemp("detr"), images=images)
    model = nabi.DetrForSegmentation.from_pretrained(folder)
    with_different_queries(model).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("image-segmentation", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("image-segmentation", model=str(folder), device="cpu")


def assert_same(ours: Any, theirs: Any, within: float = 1e-4, pixels: float = 0.005) -> None:
    """The segments of one image: equal labels, scores within so much, and equal masks, but for so small a part of their
    pixels, where two queries are as strong as each other to the last digits of their floats."""
    assert [one["label"] for one in ours] == [one["label"] for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert list(one) == list(other) == ["score", "label", "mask"]
        assert one["mask"].mode == other["mask"].mode == "L" and one["mask"].size == other["mask"].size
        assert np.mean(np.asarray(one["mask"]) != np.asarray(other["mask"])) <= pixels
        if other["score"] is None:
            assert one["score"] is None
        else:
            assert one["score"] == pytest.approx(other["score"], abs=within)


@pytest.mark.parametrize("subtask", ["panoptic", "instance", "semantic", None])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_segments_are_the_incumbents(
    pipe: Any, theirs: Any, folder: Path, subtask: str | None, options: dict[str, Any]
) -> None:
    expected = [theirs(image, subtask=subtask, **options) for image in PICTURES]
    for image, segments in zip(PICTURES, expected, strict=True):
        assert_same(pipe(image, subtask=subtask, **options), segments)
    made = pipeline("image-segmentation", model=folder, device="cpu", subtask=subtask, **options)
    for together in (pipe(PICTURES, subtask=subtask, **options), made(PICTURES, batch_size=3)):
        for ours, segments in zip(together, expected, strict=True):
            assert_same(ours, segments)
    if options.get("threshold") != 1.0 or subtask == "semantic":
        assert any(expected)


def test_no_subtask_is_the_first_that_there_is(pipe: Any, folder: Path) -> None:
    class MapsAlone(nabi.DetrImageProcessor):
        @property
        def post_process_panoptic_segmentation(self) -> Any:
            raise AttributeError

        post_process_instance_segmentation = post_process_panoptic_segmentation

    able = nabi.ImageSegmentationPipeline(model=pipe.model, image_processor=MapsAlone(**SIZE), device="cpu")
    assert_same(able(PICTURES[0]), pipe(PICTURES[0], subtask="semantic"))
    with pytest.raises(ValueError, match=r"subtask is 'panoptic', which MapsAlone cannot do; it can do 'semantic'$"):
        able(PICTURES[0], subtask="panoptic")
    usual = pipeline("image-segmentation", model=folder, device="cpu", subtask="semantic", threshold=0.0)
    assert usual(PICTURES[0])[0]["score"] is None
    assert usual(PICTURES[0], subtask=None)[0]["score"] is not None


@pytest.mark.parametrize(
    "image",
    [
        picture(30, 44).convert("L"),
        picture(30, 44).convert("RGBA"),
        picture(30, 44).convert("1"),
        picture(40, 1),
        picture(1, 40),
        np.asarray(picture(20, 31)),
    ],
    ids=["grey", "transparent", "black and white", "one pixel wide", "one pixel high", "array"],
)
@pytest.mark.parametrize("subtask", ["panoptic", "semantic"])
def test_odd_images_have_masks_of_their_own_size(pipe: Any, theirs: Any, image: Any, subtask: str) -> None:
    options = {**OPTIONS[2], "subtask": subtask}
    found = pipe(image, **options)
    shown = image if isinstance(image, Image.Image) else Image.fromarray(image)
    assert found and {one["mask"].size for one in found} == {shown.size}
    assert_same(found, theirs(shown.convert("RGB"), **options))
    together = np.sum([np.asarray(one["mask"], dtype=int) for one in found], axis=0)
    assert together.max() == 255, "no pixel belongs to two segments"
    if subtask == "semantic":
        assert together.min() == 255, "every pixel has a class"


def test_a_turned_photograph_has_masks_of_its_upright_size(pipe: Any) -> None:
    notes = Image.Exif()
    notes[0x0112] = 6
    turned = pipe(content(picture(20, 60), exif=notes), threshold=0.0)
    assert turned[0]["mask"].size == (20, 60)
    assert_same(turned, pipe(picture(20, 60).rotate(270, expand=True), threshold=0.0), 0, 0)


def test_a_processor_that_pads_does_not_shift_the_masks(pipe: Any, folder: Path) -> None:
    padding = nabi.DetrImageProcessor(**SIZE, pad_size={"height": 192, "width": 192})
    padded = nabi.ImageSegmentationPipeline(model=pipe.model, image_processor=padding, device="cpu")
    for subtask in ("panoptic", "semantic"):
        options: dict[str, Any] = {"threshold": 0.0, "subtask": subtask}
        assert_same(padded(PICTURES[2], **options), pipe(PICTURES[2], **options), 0, 0)


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=6), batch_size=st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    together = pipe([PICTURES[number] for number in chosen], batch_size=batch_size, threshold=0.0)
    for number, result in zip(chosen, together, strict=True):
        assert_same(result, pipe(PICTURES[number], threshold=0.0), within=1e-5)


def test_a_folder_says_its_task_and_a_generator_gives_an_iterator(folder: Path, pipe: Any) -> None:
    found = pipeline(model=folder, device="cpu")
    assert type(found) is nabi.ImageSegmentationPipeline and found.task == "image-segmentation"
    results = found((image for image in PICTURES), threshold=0.0)
    assert_same(next(results), pipe(PICTURES[0], threshold=0.0))
    assert len(list(results)) == len(PICTURES) - 1


def test_a_file_of_results_has_masks_as_png_and_a_terminal_where_they_are() -> None:
    mask = Image.new("L", (20, 10))
    mask.paste(255, (2, 3, 12, 8))
    segments: list[dict[str, Any]] = [
        {"score": 0.5, "label": "고양이", "mask": mask},
        {"score": None, "label": "sky", "mask": mask},
    ]
    written = output_record({"image": "a.png"}, "image-segmentation", segments)
    assert [{**one, "mask": None} for one in written["segments"]] == [{**one, "mask": None} for one in segments]
    file = io.BytesIO(base64.b64decode(written["segments"][0]["mask"], validate=True))
    assert Image.open(file).format == "PNG" and Image.open(file).tobytes() == mask.tobytes()
    assert as_text("image-segmentation", "a.png", segments).splitlines() == [
        "a.png",
        "  고양이  0.500  (2, 3) - (12, 8)  25.0%",
        "  sky  (2, 3) - (12, 8)  25.0%",
    ]
    assert segments[0]["mask"] is mask


def test_bad_arguments_are_named_before_the_model_runs(pipe: Any, folder: Path) -> None:
    with pytest.raises(TypeError, match=r"image-segmentation has no argument 'tresholds'.*'threshold'"):
        pipe(PICTURES[0], tresholds=0.2)
    for subtask in ("panoptics", "", 3, ["semantic"]):
        with pytest.raises(
            ValueError, match=r"subtask is .*expected one of 'panoptic', 'instance', 'semantic', or None"
        ):
            pipe(PICTURES[0], subtask=subtask)
    for name in ("threshold", "mask_threshold", "overlap_mask_area_threshold"):
        for value in (-0.1, 1.5, "high", True, float("nan")):
            with pytest.raises(ValueError, match=rf"^{name} is .*from 0 to 1"):
                pipe(PICTURES[0], **{name: value})
    with pytest.raises(ValueError, match="timeout is -1"):
        pipe(PICTURES[0], timeout=-1)
    with pytest.raises(ValueError, match=r"input 1: .*no-such\.png"):
        pipe([PICTURES[0], "no-such.png"])
    with pytest.raises(ValueError, match="YolosImageProcessor makes no masks of a model's outputs"):
        nabi.ImageSegmentationPipeline(model=pipe.model, image_processor=nabi.YolosImageProcessor(), device="cpu")


def test_models_without_masks_are_named(folder: Path, tmp_path: Path) -> None:
    detector = nabi.DetrForObjectDetection(nabi.DetrConfig(**DETR))
    bare = nabi.ImageSegmentationPipeline(model=detector, image_processor=nabi.DetrImageProcessor(**SIZE), device="cpu")
    with pytest.raises(TypeError, match=r"DetrForObjectDetection gives no masks.*AutoModelForImageSegmentation"):
        bare(PICTURES[0])
    detector.save_pretrained(tmp_path / "boxes")
    with pytest.raises(ValueError, match=r"no weights for the head of DetrForSegmentation \(.*chance"):
        pipeline("image-segmentation", model=tmp_path / "boxes")
    nabi.YolosForObjectDetection(nabi.YolosConfig(**YOLOS)).save_pretrained(tmp_path / "yolos")
    with pytest.raises(ValueError, match="yolos"):
        pipeline("image-segmentation", model=tmp_path / "yolos")
    one_map = {**DETR, "backbone_config": {**RESNET, "out_features": ["stage4"]}}
    nabi.DetrForObjectDetection(nabi.DetrConfig(**one_map)).save_pretrained(tmp_path / "one")
    with pytest.raises(ValueError, match="segmentation reads four feature maps"):
        pipeline("image-segmentation", model=tmp_path / "one")
