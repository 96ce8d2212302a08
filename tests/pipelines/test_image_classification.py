"""Image classification beside the incumbent's, on tiny random models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline

from .image_models import LABELS, SMALL, assert_same, content, saved
from .record_images import PICTURES, VIT, picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = transformers.ViTForImageClassification(transformers.ViTConfig(**VIT, id2label=LABELS))
    return saved(model, tmp_path_factory.mktemp("vit"), images=transformers.ViTImageProcessor(**SMALL))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("image-classification", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("image-classification", model=str(folder), device="cpu")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"top_k": 1},
        {"top_k": 2},
        {"top_k": 10},
        {"top_k": None},
        {"function_to_apply": "sigmoid"},
        {"function_to_apply": "none"},
        {"function_to_apply": "SOFTMAX", "top_k": 1},
        {"timeout": 3.0},
    ],
    ids=str,
)
def test_labels_and_scores_are_the_incumbents(pipe: Any, theirs: Any, folder: Path, options: dict[str, Any]) -> None:
    assert_same(pipe(PICTURES[0], **options), theirs(PICTURES[0], **options))
    assert_same(pipe(PICTURES, **options), theirs(PICTURES, **options))
    made = pipeline("image-classification", model=folder, device="cpu", **options)
    assert_same(made(PICTURES), theirs(PICTURES, **options))
    assert_same(made(PICTURES[1], top_k=1), theirs(PICTURES[1], **{**options, "top_k": 1}))


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification", "single_label_classification"])
def test_the_scores_function_fits_the_problem(folder: Path, tmp_path: Path, problem: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "problem_type": problem}), encoding="utf-8")
    there = transformers.pipeline("image-classification", model=str(tmp_path), device="cpu")
    assert_same(pipeline("image-classification", model=tmp_path, device="cpu")(PICTURES), there(PICTURES))


def test_every_form_of_input_gives_the_same(pipe: Any, theirs: Any, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(len(PICTURES))]
    for path, image in zip(paths, PICTURES, strict=True):
        path.write_bytes(content(image))
    expected = theirs(PICTURES)
    names = [str(path) for path in paths]
    assert_same(pipe(names[0]), expected[0])
    assert_same(pipe(np.asarray(PICTURES[0])), expected[0])
    assert_same(pipe(images=names), expected)
    for many in (names, tuple(paths), np.array(names), [path.read_bytes() for path in paths]):
        assert_same(pipe(many), expected)
    for source in ((image for image in PICTURES), iter(names), dict.fromkeys(names).keys()):
        results = pipe(source)
        assert isinstance(results, Iterator)
        assert_same(list(results), expected)
    alike = np.stack([np.asarray(picture(seed=seed)) for seed in (0, 1)])
    assert_same(pipe(alike), theirs([picture(seed=0), picture(seed=1)]))
    assert_same(pipe(torch.from_numpy(alike)), pipe(alike))
    assert pipe([]) == []


@given(
    chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=12),
    batch_size=st.integers(1, 9),
)
@settings(max_examples=15, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    together = pipe([PICTURES[number] for number in chosen], batch_size=batch_size)
    for number, result in zip(chosen, together, strict=True):
        assert_same(result, pipe(PICTURES[number]), within=1e-6)


def test_few_images_are_held_at_a_time(folder: Path) -> None:
    pipe = pipeline("image-classification", model=folder, device="cpu", batch_size=2)
    held: list[int] = []
    inner = pipe._compute

    def watched(prepared: list[Any], *rest: Any) -> Any:
        held.append(len(prepared))
        return inner(prepared, *rest)

    pipe._compute = watched
    for inputs in (PICTURES * 4, (image for image in PICTURES * 4)):
        assert len(list(pipe(inputs))) == 20
    assert max(held) == 4


@pytest.mark.parametrize("lazily", [False, True])
def test_a_bad_image_is_named_or_stands_in_its_place(pipe: Any, lazily: bool) -> None:
    images = [PICTURES[0], "no-such.png", PICTURES[1], None, b"junk"]
    results = list(pipe(iter(images) if lazily else images, on_error="return"))
    assert [type(one) for one in results] == [list, ValueError, list, TypeError, ValueError]
    assert str(results[1]).startswith("input 1: the image: the file 'no-such.png' is not there")
    assert str(results[3]).startswith("input 3: None is no image")
    with pytest.raises(ValueError, match=r"input 1: .*no-such\.png"):
        list(pipe(iter(images) if lazily else images))


def test_bad_arguments_are_named(pipe: Any, folder: Path) -> None:
    with pytest.raises(TypeError, match=r"image-classification has no argument 'topk'.*'top_k'"):
        pipe(PICTURES[0], topk=1)
    for top_k in (0, -1, "all", True):
        with pytest.raises(ValueError, match="top_k is"):
            pipe(PICTURES[0], top_k=top_k)
    with pytest.raises(ValueError, match="function_to_apply is 'relu'"):
        pipeline("image-classification", model=folder, function_to_apply="relu")
    for timeout in (0, -1, "soon"):
        with pytest.raises(ValueError, match="timeout is"):
            pipe(PICTURES[0], timeout=timeout)
    with pytest.raises(TypeError, match="got no image"):
        pipe()
    with pytest.raises(TypeError, match="got its input 2 times"):
        pipe(PICTURES[0], images=PICTURES)


def test_a_model_without_the_head_is_refused_by_name(folder: Path, pipe: Any) -> None:
    body = nabi.ViTModel.from_pretrained(folder)
    bare = nabi.ImageClassificationPipeline(model=body, image_processor=pipe.image_processor, device="cpu")
    with pytest.raises(TypeError, match=r"ViTModel gives no logits .*AutoModelForImageClassification"):
        bare(PICTURES[0])
    with pytest.raises(ValueError, match="needs the image_processor"):
        nabi.ImageClassificationPipeline(model=pipe.model)


def test_labels_without_names_get_their_numbers(folder: Path, pipe: Any) -> None:
    model = nabi.ViTForImageClassification.from_pretrained(folder)
    model.config.id2label = {0: "고양이"}
    made = nabi.ImageClassificationPipeline(model=model, image_processor=pipe.image_processor, device="cpu")
    assert {one["label"] for one in made(PICTURES[0])} == {"고양이", "LABEL_1", "LABEL_2"}


def test_half_precision_gives_nearly_the_same(folder: Path, pipe: Any) -> None:
    half = pipeline("image-classification", model=folder, dtype=torch.bfloat16, device="cpu")
    assert_same(sorted(half(PICTURES[0]), key=str)[0]["score"], sorted(pipe(PICTURES[0]), key=str)[0]["score"], 0.1)


def test_other_families_classify_too(tmp_path: Path) -> None:
    torch.manual_seed(1)
    keys = {"hidden_sizes": [8, 12, 16], "depths": [1, 2, 1], "embedding_size": 6}
    model = transformers.ResNetForImageClassification(transformers.ResNetConfig(**keys, id2label=LABELS))
    images = transformers.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.875)
    folder = saved(model, tmp_path, images=images)
    there = transformers.pipeline("image-classification", model=str(folder), device="cpu")
    assert_same(pipeline("image-classification", model=folder, device="cpu")(PICTURES), there(PICTURES))


def test_a_saved_pipeline_loads_and_answers_the_same(pipe: Any, tmp_path: Path) -> None:
    pipe.save_pretrained(tmp_path)
    assert_same(pipeline(model=tmp_path, device="cpu")(PICTURES), pipe(PICTURES))
