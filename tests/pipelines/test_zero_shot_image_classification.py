"""Zero-shot image classification beside the incumbent's, on tiny random CLIP and SigLIP models."""

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

from .image_models import SMALL, TEXT, assert_same, saved
from .record_images import PICTURES, VIT, write_words

CANDIDATES = ["고양이", "two cats and butterfly", "house", "나비 두 마리"]


@pytest.fixture(scope="module", params=["CLIP", "Siglip"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, where = request.param, tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    write_words(where, end="</s>")
    vision = {**VIT, "hidden_size": 20 if kind == "CLIP" else 16}
    config = getattr(transformers, f"{kind}Config")(text_config=TEXT, vision_config=vision)
    images = getattr(transformers, f"{kind}ImageProcessor")(**SMALL, **({"crop_size": 8} if kind == "CLIP" else {}))
    return saved(getattr(transformers, f"{kind}Model")(config), where, images=images)


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("zero-shot-image-classification", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("zero-shot-image-classification", model=str(folder), device="cpu")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hypothesis_template": "이게 {} 사진"},
        {"hypothesis_template": "{}"},
        {"candidate_labels": ["house"]},
        {"candidate_labels": ("dog", "cat")},
        {"timeout": 2.0},
    ],
    ids=str,
)
def test_labels_and_scores_are_the_incumbents(pipe: Any, theirs: Any, folder: Path, options: dict[str, Any]) -> None:
    options = {"candidate_labels": CANDIDATES, **options}
    expected = [theirs(image, **options) for image in PICTURES]
    assert_same(pipe(PICTURES[0], **options), expected[0])
    assert_same(pipe(PICTURES, **options), expected)
    constructed = pipeline("zero-shot-image-classification", model=folder, device="cpu", **options)
    assert_same(constructed(PICTURES), expected)


def test_options_of_the_tokenizer_reach_it(pipe: Any) -> None:
    words = {"candidate_labels": ["cat " * 50, "dog"], "hypothesis_template": "{}"}
    long = {**words, "candidate_labels": ["cat " * 100, "dog"]}
    cut = pipe(PICTURES[0], **words, tokenizer_kwargs={"truncation": True, "max_length": 9})
    same = pipe(PICTURES[0], **{**words, "candidate_labels": ["cat " * 7, "dog"]}, tokenizer_kwargs={"max_length": 9})
    assert_same([one["score"] for one in cut], [one["score"] for one in same])
    if "siglip" not in pipe.model.config.model_type:
        with pytest.raises(ValueError, match="64"):
            pipe(PICTURES[0], **long)
    assert len(pipe(PICTURES[0], **long, tokenizer_kwargs={"truncation": True, "max_length": 64})) == 2


def test_one_text_with_commas_is_a_list_of_labels(pipe: Any) -> None:
    assert pipe(PICTURES[0], "고양이, dog") == pipe(PICTURES[0], candidate_labels=["고양이", "dog"])


def test_other_names_of_the_image_are_taken(pipe: Any) -> None:
    expected = pipe(PICTURES[0], candidate_labels=CANDIDATES)
    assert pipe(image=PICTURES[0], candidate_labels=CANDIDATES) == expected
    assert_same(pipe(images=PICTURES, candidate_labels=CANDIDATES)[0], expected)
    results = pipe((image for image in PICTURES), candidate_labels=CANDIDATES)
    assert_same(next(results), expected)


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=9), batch_size=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    images = [PICTURES[number] for number in chosen]
    together = pipe(images, candidate_labels=CANDIDATES, batch_size=batch_size)
    for image, result in zip(images, together, strict=True):
        alone = {one["label"]: one["score"] for one in pipe(image, candidate_labels=CANDIDATES)}
        assert {one["label"]: one["score"] for one in result} == pytest.approx(alone, abs=1e-5)


def test_labels_are_read_once_for_a_batch(folder: Path) -> None:
    pipe = pipeline("zero-shot-image-classification", model=folder, device="cpu")
    calls: list[int] = []
    inner = pipe.model.forward

    def watched(**inputs: Any) -> Any:
        calls.append(len(inputs["input_ids"]))
        return inner(**inputs)

    pipe.model.forward = watched
    pipe(PICTURES, candidate_labels=CANDIDATES, batch_size=len(PICTURES))
    assert calls == [len(CANDIDATES)]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "candidate_labels is an empty list"),
        (["cat", ""], r"candidate_labels\[1\] is ''"),
        (["cat", None], r"candidate_labels\[1\] is None"),
        (7, "candidate_labels is 7; expected a list of texts"),
        ("cat,,dog", r"candidate_labels\[1\] is ''"),
        (None, "got no labels to choose from"),
    ],
    ids=str,
)
def test_bad_labels_are_one_clear_error(pipe: Any, labels: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(PICTURES[0], candidate_labels=labels)


def test_bad_arguments_and_models_are_named(pipe: Any) -> None:
    with pytest.raises(ValueError, match=r"hypothesis_template is 'A photo.', with no \{\}"):
        pipe(PICTURES[0], candidate_labels=CANDIDATES, hypothesis_template="A photo.")
    with pytest.raises(TypeError, match=r"no argument 'candidate_label'.*'candidate_labels'"):
        pipe(PICTURES[0], candidate_label=CANDIDATES)
    with pytest.raises(ValueError, match=r"input 1: .*no-such\.png"):
        pipe([PICTURES[0], "no-such.png"], candidate_labels=CANDIDATES)
    parts = {"tokenizer": pipe.tokenizer, "image_processor": nabi.ViTImageProcessor(**SMALL)}
    model = nabi.ViTForImageClassification(nabi.ViTConfig(**VIT))
    bare = nabi.ZeroShotImageClassificationPipeline(model=model, **parts, device="cpu")
    with pytest.raises(TypeError, match="ViTForImageClassification does not compare images with texts"):
        bare(PICTURES[0], candidate_labels=CANDIDATES)
