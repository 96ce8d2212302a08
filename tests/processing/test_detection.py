"""Detectors: masks of padding, targets out of COCO's annotations, and boxes and maps out of a model's outputs."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_inputs
import torch
from PIL import Image
from small_inputs import SIZES, picture

import nabi
from nabi.processing import segmentation

SMALL = {"size": {"shortest_edge": 48, "longest_edge": 90}}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"do_pad": False},
    {"do_resize": False},
    {"do_normalize": False},
    {"do_rescale": False, "resample": 0},
    {"size": {"height": 33, "width": 55}},
    {"size": {"max_height": 50, "max_width": 70}},
    {"pad_size": {"height": 100, "width": 120}},
    {"do_convert_annotations": False},
    {"do_convert_annotations": False, "do_pad": False},
    {"image_mean": 0.4, "image_std": 0.3},
]


@pytest.fixture(scope="module", params=["Detr", "Yolos"])
def both(request: pytest.FixtureRequest, incumbent: ModuleType) -> tuple[Any, Any]:
    name = f"{request.param}ImageProcessor"
    return getattr(nabi, name)(**SMALL), getattr(incumbent, name + "Pil")(**SMALL)


def assert_same(ours: Any, theirs: Any) -> None:
    """But for the mask that the incumbent's version 5 makes for YOLOS, which takes none (version 4 made none)."""
    small_inputs.assert_same(ours, {key: value for key, value in theirs.items() if key != "pixel_mask" or key in ours})


def annotation(image_id: int, *boxes: list[float], **more: Any) -> dict[str, Any]:
    objects = [
        {"bbox": box, "category_id": number + 3, "area": box[2] * box[3], "iscrowd": 0, **more}
        for number, box in enumerate(boxes)
    ]
    return {"image_id": image_id, "annotations": objects}


IMAGES = [picture(37, 53), picture(64, 64, seed=1)]
ANNOTATIONS = [
    annotation(39, [1, 2, 20, 10], [-5, -5, 1000, 1000], [10, 10, 0, 5]),  # too large, and without area
    annotation(40, [5.5, 6.25, 20.5, 30], keypoints=[1, 2, 2, 3, 4, 1]),
]
ANNOTATIONS[0]["annotations"].append({"bbox": [0, 0, 5, 5], "category_id": 1, "area": 25, "iscrowd": 1})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_batches_masks_and_targets_are_the_incumbents(both: tuple[Any, Any], options: dict[str, Any]) -> None:
    ours, theirs = both
    # without padding images of one size, which one tensor can hold
    images = [IMAGES[0], picture(37, 53, seed=2)] if not options.get("do_pad", True) else IMAGES
    options = {**options, "annotations": ANNOTATIONS}
    for kind in ("np", "pt"):
        own = ours(images, return_tensors=kind, **copy.deepcopy(options))
        assert_same(own, theirs(images, return_tensors=kind, **copy.deepcopy(options)))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_shape_gives_the_incumbents_pixels(both: tuple[Any, Any], size: tuple[int, int]) -> None:
    ours, theirs = both
    if type(ours) is nabi.YolosImageProcessor and max(size) > 20 * min(size) - 1:
        assert ours(picture(*size), return_tensors="np").pixel_values.shape[2:] in ((16, 80), (80, 16))
        return  # the incumbent's shorter edge would be 0, which it cannot make
    assert_same(ours(picture(*size), return_tensors="np"), theirs(picture(*size), return_tensors="np"))


def test_lists_are_what_the_incumbents_lists_are(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    own = ours(IMAGES, annotations=copy.deepcopy(ANNOTATIONS))
    assert_same(own, theirs(IMAGES, annotations=copy.deepcopy(ANNOTATIONS)))
    single = ours(IMAGES[0], annotations=ANNOTATIONS[0], return_tensors="pt")
    assert single.labels[0].boxes.dtype == torch.float32 and single.labels[0]["class_labels"].dtype == torch.int64


def test_yolos_edges_are_multiples_of_its_patch() -> None:
    for size in SIZES:
        edges = nabi.YolosImageProcessor(**SMALL)(picture(*size), return_tensors="np").pixel_values.shape[2:]
        assert all(edge % 16 == 0 and edge > 0 for edge in edges)


def test_panoptic_masks_are_the_incumbents(both: tuple[Any, Any], tmp_path: Path) -> None:
    ours, theirs = both
    ids = np.zeros((37, 53), dtype=np.int64)
    ids[3:20, 5:30], ids[20:30, 10:50] = 70001, 513
    colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "mask.png")
    segments = [
        {"id": 70001, "category_id": 4, "iscrowd": 0, "area": 425},
        {"id": 513, "category_id": 9, "iscrowd": 1, "area": 400},
        {"id": 77, "category_id": 2, "iscrowd": 0, "area": 0},  # nowhere in the mask
    ]
    entry = {"image_id": 5, "file_name": "mask.png", "segments_info": segments}
    options = {"annotations": [entry], "masks_path": tmp_path, "format": "coco_panoptic", "return_tensors": "pt"}
    for more in (
        {},
        {"do_resize": False},
        {"pad_size": {"height": 100, "width": 120}},
        {"return_segmentation_masks": False},
    ):
        assert_same(ours(IMAGES[0], **options, **more), theirs(IMAGES[0], **options, **more))
    with pytest.raises(FileNotFoundError, match=r"There is no mask image .*gone\.png"):
        ours(IMAGES[0], **{**options, "annotations": {**entry, "file_name": "gone.png"}})
    with pytest.raises(ValueError, match=r"need masks_path=…"):
        ours(IMAGES[0], **{**options, "masks_path": None})


def test_a_collator_pads_what_is_preprocessed_already() -> None:
    processor = nabi.DetrImageProcessor(**SMALL)
    one, two = (processor(image, return_tensors="pt")["pixel_values"][0] for image in IMAGES)
    batch = processor.pad([one, two], return_tensors="pt")
    together = processor(IMAGES, return_tensors="pt")
    assert torch.equal(batch.pixel_values, together.pixel_values) and torch.equal(batch.pixel_mask, together.pixel_mask)
    assert set(processor.pad([one], return_pixel_mask=False)) == {"pixel_values"}
    yolos = nabi.YolosImageProcessor(**SMALL)
    assert set(yolos(IMAGES)) == set(yolos.pad([one, two])) == set(yolos.model_input_names) == {"pixel_values"}
    assert set(yolos.pad([one], return_pixel_mask=True)) == set(processor.model_input_names) == set(together)


def test_masks_of_polygons_need_cocos_tool() -> None:
    entry = annotation(1, [1, 2, 20, 10], segmentation=[[1, 2, 21, 2, 21, 12]])
    try:
        import pycocotools  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="pip install pycocotools"):
            nabi.DetrImageProcessor(**SMALL)(IMAGES[0], annotations=entry, return_segmentation_masks=True)
    else:
        labels = nabi.DetrImageProcessor(**SMALL)(IMAGES[0], annotations=entry, return_segmentation_masks=True).labels
        assert labels[0]["masks"].shape == (1, 48, 68) and 0 < labels[0]["masks"].mean() < 0.5


def test_old_settings_are_read(incumbent: ModuleType) -> None:
    old = {"size": 40, "max_size": 70, "pad_and_return_pixel_mask": False}
    ours, theirs = nabi.DetrImageProcessor(**old), incumbent.DetrImageProcessorPil(**old)
    assert ours.do_pad is False and ours.size == {"shortest_edge": 40, "longest_edge": 70}
    assert_same(ours(picture(), return_tensors="np"), theirs(picture(), return_tensors="np"))
    assert nabi.DetrImageProcessor(do_normalize=False).do_convert_annotations is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"annotations": [ANNOTATIONS[0]] * 3}, "There are 2 images but 3 annotations"),
        ({"annotations": [ANNOTATIONS[0], {"boxes": []}]}, r"annotations\[1\] \(\['boxes'\]\) is not of the format"),
        ({"annotations": [ANNOTATIONS[0], 3]}, r"annotations\[1\] \(int\) is not of the format 'coco_detection'"),
        ({"annotations": ANNOTATIONS, "format": "voc"}, "format='voc' is unknown: use 'coco_detection'"),
        (
            {"annotations": [ANNOTATIONS[0], {"image_id": 1, "annotations": [{"category_id": 1, "area": 2}]}]},
            r"annotations\[1\]: object 0 has no 'bbox', only \['area', 'category_id'\]",
        ),
        (
            {"annotations": [annotation(1, [1, 2, 3, 4]), annotation(2, [1, 2, 3, 4], bbox=["a", 1, 2, 3])]},
            r"annotations\[1\]: the 'bbox' of object 0 is \['a', 1, 2, 3\]: give",
        ),
        (
            {"annotations": [annotation(1, [1, 2, 3, 4]), annotation(2, [1, 2, 3, 4], bbox=[1, 2, 3])]},
            r"annotations\[1\]: the 'bbox' of object 0 is \[1, 2, 3\]: give \(left, top, width, height\)",
        ),
        (
            {"annotations": [{"image_id": 1, "file_name": "a", "segments_info": [{"id": 3}]}] * 2}
            | {"format": "coco_panoptic"},
            r"annotations\[0\]: object 0 has no 'category_id', only \['id'\]",
        ),
        ({"do_center_crop": True, "crop_size": 20}, "does not crop, for boxes would not fit"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_clear_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nabi.DetrImageProcessor(**SMALL)(IMAGES, **options)


@pytest.mark.parametrize("kind", ["pt", "np", None])
def test_targets_without_objects_have_the_dtypes_of_others(kind: str | None) -> None:
    for name in ("Detr", "Yolos"):
        process = getattr(nabi, f"{name}ImageProcessor")(**SMALL)
        both = process(IMAGES, annotations=[annotation(1), annotation(2, [1, 2, 20, 10])], return_tensors=kind)
        empty, full = both["labels"]
        assert empty["boxes"].shape == (0, 4) and empty["area"].shape == (0,)
        for key in full:
            assert empty[key].dtype == full[key].dtype, key
        assert "float32" in str(empty["boxes"].dtype) and "float32" in str(empty["area"].dtype)


# --- outputs


def outputs(queries: int = 12, classes: int = 5, seed: int = 0, sure: float = 3.0) -> SimpleNamespace:
    make = torch.Generator().manual_seed(seed)
    return SimpleNamespace(
        logits=torch.randn(2, queries, classes + 1, generator=make) * sure,
        pred_boxes=torch.rand(2, queries, 4, generator=make),
        pred_masks=torch.nn.functional.interpolate(torch.randn(2, queries, 4, 5, generator=make) * 6, (16, 20)),
    )


@pytest.mark.parametrize("sizes", [None, [(100, 200), (50, 31)], torch.tensor([[100, 200], [50, 31]])], ids=str)
@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9, 1.0])
def test_boxes_are_the_incumbents(both: tuple[Any, Any], threshold: float, sizes: Any) -> None:
    ours, theirs = (
        side.post_process_object_detection(outputs(), threshold=threshold, target_sizes=sizes) for side in both
    )
    for own, their in zip(ours, theirs, strict=True):
        assert torch.equal(own["labels"], their["labels"]) and torch.allclose(own["scores"], their["scores"])
        assert own["boxes"].shape == their["boxes"].shape and torch.allclose(own["boxes"], their["boxes"], atol=1e-4)
    with pytest.raises(ValueError, match="target_sizes has 1 sizes, but the outputs have 2 images"):
        both[0].post_process_object_detection(outputs(), target_sizes=[(3, 3)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_sizes": [(3, 3), (3, 3, 3)]}, r"target_sizes\[1\]=\(3, 3, 3\) is no size: give \(height, width\)"),
        ({"target_sizes": torch.ones(2, 3)}, r"target_sizes\[0\]=\[1.0, 1.0, 1.0\] is no size"),
        ({"target_sizes": [30, 40]}, r"target_sizes\[0\]=30 is no size"),
        ({"target_sizes": 30}, "target_sizes=30 is no list"),
        ({"threshold": "x"}, "threshold='x' is no number"),
        ({"threshold": None}, "threshold=None is no number"),
    ],
    ids=str,
)
def test_outputs_and_options_that_do_not_fit_are_one_clear_error(options: dict[str, Any], message: str) -> None:
    process = nabi.DetrImageProcessor()
    calls = [process.post_process_object_detection, process.post_process_panoptic_segmentation]
    calls += [process.post_process_instance_segmentation]
    if "threshold" not in options:
        calls.append(process.post_process_semantic_segmentation)
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call(outputs(), **options)


def same_maps(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    for own, their in zip(ours, theirs, strict=True):
        assert own["segments_info"] == their["segments_info"]
        if isinstance(their["segmentation"], list):
            assert own["segmentation"] == [[int(number) for number in runs] for runs in their["segmentation"]]
        else:
            assert own["segmentation"].dtype == their["segmentation"].dtype
            assert torch.equal(own["segmentation"], their["segmentation"])


@pytest.mark.parametrize("sizes", [None, [(40, 50), (33, 21)]], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_maps_of_segments_are_the_incumbents(seed: int, sizes: Any, incumbent: ModuleType) -> None:
    ours, theirs = nabi.DetrImageProcessor(), incumbent.DetrImageProcessorPil()
    out = outputs(seed=seed)
    for own, their in zip(
        ours.post_process_semantic_segmentation(out, sizes),
        theirs.post_process_semantic_segmentation(out, sizes),
        strict=True,
    ):
        assert torch.equal(own, their)
    scored = ours.post_process_semantic_segmentation(out, sizes, return_segmentation_scores=True)[0]
    theirs_scored = theirs.post_process_semantic_segmentation(out, sizes, return_segmentation_scores=True)[0]
    assert torch.allclose(scored.segmentation_scores, theirs_scored.segmentation_scores)
    found = 0
    for threshold, overlap in ((0.5, 0.8), (0.3, 0.1), (0.999, 0.8)):
        options = dict(threshold=threshold, overlap_mask_area_threshold=overlap, target_sizes=sizes)
        for more in ({}, {"return_coco_annotation": True}):
            own = ours.post_process_instance_segmentation(copy.deepcopy(out), **options, **more)
            same_maps(own, theirs.post_process_instance_segmentation(copy.deepcopy(out), **options, **more))
        own = ours.post_process_panoptic_segmentation(copy.deepcopy(out), **options)
        same_maps(own, theirs.post_process_panoptic_segmentation(copy.deepcopy(out), **options))
        found += sum(len(row["segments_info"]) for row in own)
    assert found > 2


def test_fused_classes_are_one_segment_and_others_keep_ids_of_their_own() -> None:
    # In the incumbent the segment that follows a fused one takes an id that is in use.
    logits = torch.full((1, 4, 3), -9.0)
    logits[0, [0, 1, 2, 3], [0, 1, 0, 1]] = 9.0
    masks = torch.full((1, 4, 4, 4), -9.0)
    for query in range(4):
        masks[0, query, query] = 9.0
    out = SimpleNamespace(logits=logits, pred_masks=masks)
    result = nabi.DetrImageProcessor().post_process_panoptic_segmentation(out, label_ids_to_fuse={0})[0]
    assert [(row["id"], row["label_id"], row["was_fused"]) for row in result["segments_info"]] == [
        (1, 0, True),
        (2, 1, False),
        (1, 0, True),
        (3, 1, False),
    ]
    assert result["segmentation"][:, 0].tolist() == [1, 2, 1, 3]


def test_run_lengths_count_from_one() -> None:
    assert segmentation.run_lengths(torch.tensor([[0, 0, 2], [2, 0, 2]])) == [[1, 2, 5, 1], [3, 2, 6, 1]]
