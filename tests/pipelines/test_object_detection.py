"""Object detection beside the incumbent's, on tiny random DETR and YOLOS models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline

from .image_models import DETR, LABELS, YOLOS, assert_same, content, saved
from .record_images import PICTURES, VIT, picture


@pytest.fixture(scope="module", params=["Detr", "Yolos"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    kind = request.param
    config = getattr(transformers, f"{kind}Config")(**(DETR if kind == "Detr" else YOLOS), id2label=LABELS)
    model = getattr(transformers, f"{kind}ForObjectDetection")(config)
    images = getattr(transformers, f"{kind}ImageProcessor")(size={"shortest_edge": 32, "longest_edge": 192})
    return saved(model, tmp_path_factory.mktemp(kind), images=images)


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("object-detection", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("object-detection", model=str(folder), device="cpu")


@pytest.mark.parametrize(
    "options", [{}, {"threshold": 0.3}, {"threshold": 0.0}, {"threshold": 1.0, "timeout": 2}], ids=str
)
def test_objects_are_the_incumbents(pipe: Any, theirs: Any, folder: Path, options: dict[str, Any]) -> None:
    expected = [theirs(image, **options) for image in PICTURES]
    assert_same([pipe(image, **options) for image in PICTURES], expected)
    assert_same(pipe(PICTURES, **options), expected)
    assert_same(pipeline("object-detection", model=folder, device="cpu", **options)(PICTURES, batch_size=3), expected)
    if options == {"threshold": 0.0}:
        assert all(expected)


def test_boxes_are_whole_pixels_of_the_image_itself(pipe: Any) -> None:
    for image in PICTURES:
        for found in pipe(image, threshold=0.0):
            assert list(found["box"]) == ["xmin", "ymin", "xmax", "ymax"]
            assert all(type(value) is int for value in found["box"].values())
            assert found["label"] in LABELS.values()
    larger = pipe(PICTURES[1].resize((640, 640), 0), threshold=0.0)
    assert max(found["box"]["xmax"] for found in larger) > 64


def test_a_turned_photograph_has_boxes_of_its_upright_size(pipe: Any) -> None:
    from PIL import Image

    notes = Image.Exif()
    notes[0x0112] = 6
    turned = content(picture(20, 60), exif=notes)
    assert pipe(turned, threshold=0.0) == pipe(picture(20, 60).rotate(270, expand=True), threshold=0.0)


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=9), batch_size=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    together = pipe([PICTURES[number] for number in chosen], batch_size=batch_size, threshold=0.0)
    for number, result in zip(chosen, together, strict=True):
        assert_same(result, pipe(PICTURES[number], threshold=0.0), within=1e-5)


def test_images_of_one_size_run_together_and_of_others_apart(folder: Path) -> None:
    pipe = pipeline("object-detection", model=folder, device="cpu")
    shapes: list[tuple[int, ...]] = []
    inner = pipe._forward

    def watched(model_inputs: dict[str, Any], **options: Any) -> Any:
        shapes.append(tuple(model_inputs["pixel_values"].shape))
        return inner(model_inputs, **options)

    pipe._forward = watched
    pipe([picture(40, 60), picture(64, 64), picture(80, 120), picture(64, 64, 1)], batch_size=4)
    assert sorted(shape[0] for shape in shapes) == [2, 2]


def test_generators_give_iterators(pipe: Any) -> None:
    results = pipe((image for image in PICTURES), threshold=0.2)
    assert next(results) == pipe(PICTURES[0], threshold=0.2)
    assert len(list(results)) == len(PICTURES) - 1


def test_bad_arguments_and_models_are_named(pipe: Any) -> None:
    with pytest.raises(TypeError, match=r"object-detection has no argument 'treshold'.*'threshold'"):
        pipe(PICTURES[0], treshold=0.2)
    for threshold in (-0.1, 1.5, "high", True):
        with pytest.raises(ValueError, match=r"threshold is .*from 0 to 1"):
            pipe(PICTURES[0], threshold=threshold)
    with pytest.raises(ValueError, match=r"input 1: .*no-such\.png"):
        pipe([PICTURES[0], "no-such.png"])
    model = nabi.ViTForImageClassification(nabi.ViTConfig(**{**VIT, "image_size": 32}))
    bare = nabi.ObjectDetectionPipeline(model=model, image_processor=nabi.ViTImageProcessor(size=32), device="cpu")
    with pytest.raises(TypeError, match=r"ViTForImageClassification gives no boxes.*AutoModelForObjectDetection"):
        bare(PICTURES[0])
