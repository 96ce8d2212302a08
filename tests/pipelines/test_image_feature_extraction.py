"""Image features beside the incumbent's, on tiny random models."""

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

from .image_models import LABELS, RESNET, SMALL, TEXT, assert_same, saved
from .record_images import PICTURES, VIT, write_words


def made(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    if kind == "vit":
        model = transformers.ViTModel(transformers.ViTConfig(**VIT))
    else:
        model = transformers.ResNetModel(transformers.ResNetConfig(**{**RESNET, "out_features": None}))
    size = SMALL if kind == "vit" else {"size": {"height": 32, "width": 32}}
    return saved(model, folder, images=transformers.ViTImageProcessor(**size))


@pytest.fixture(scope="module", params=["vit", "resnet"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("image-feature-extraction", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("image-feature-extraction", model=str(folder), device="cpu")


@pytest.mark.parametrize("options", [{}, {"pool": True}, {"pool": False, "timeout": 2}], ids=str)
def test_features_are_the_incumbents(pipe: Any, theirs: Any, folder: Path, options: dict[str, Any]) -> None:
    assert_same(pipe(PICTURES[0], **options), theirs(PICTURES[0], **options))
    assert_same(pipe(PICTURES, **options), theirs(PICTURES, **options))
    constructed = pipeline("image-feature-extraction", model=folder, device="cpu", **options)
    assert_same(constructed(PICTURES), theirs(PICTURES, **options))


def test_tensors_come_where_they_are_asked_for(pipe: Any, theirs: Any) -> None:
    for pool in (False, True):
        ours = pipe(PICTURES[0], return_tensors=True, pool=pool)
        there = theirs(PICTURES[0], return_tensors=True, pool=pool)
        assert torch.allclose(ours, there, atol=1e-4) and ours.shape == there.shape
    assert isinstance(pipe(PICTURES, return_tensors="pt")[2], torch.Tensor)


def test_options_of_the_image_processor_reach_it(pipe: Any, theirs: Any) -> None:
    options = {"image_processor_kwargs": {"do_normalize": False}}
    assert_same(pipe(PICTURES[0], **options), theirs(PICTURES[0], **options))
    with pytest.raises(TypeError, match="no option 'do_normalise'"):
        pipe(PICTURES[0], image_processor_kwargs={"do_normalise": False})


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=9), batch_size=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    together = pipe([PICTURES[number] for number in chosen], batch_size=batch_size, return_tensors=True)
    for number, result in zip(chosen, together, strict=True):
        assert torch.allclose(result, pipe(PICTURES[number], return_tensors=True), atol=1e-5)


def test_what_gives_no_features_is_one_clear_error(tmp_path: Path) -> None:
    folder = made("vit", tmp_path)
    pipe = pipeline("image-feature-extraction", model=folder, device="cpu")
    with pytest.raises(TypeError, match=r"no argument 'pooling'.*'pool'"):
        pipe(PICTURES[0], pooling=True)
    poolless = nabi.ViTModel(pipe.model.config, add_pooling_layer=False)
    poolless.load_state_dict(pipe.model.state_dict(), strict=False)
    bare = nabi.ImageFeatureExtractionPipeline(model=poolless, image_processor=pipe.image_processor, device="cpu")
    assert_same(bare(PICTURES[0]), pipe(PICTURES[0]))
    with pytest.raises(ValueError, match="ViTModel has no pooled output: leave pool=True out"):
        bare(PICTURES[0], pool=True)
    head = nabi.ViTForImageClassification(nabi.ViTConfig(**VIT, id2label=LABELS))
    bare = nabi.ImageFeatureExtractionPipeline(model=head, image_processor=pipe.image_processor, device="cpu")
    with pytest.raises(TypeError, match=r"ViTForImageClassification gives no hidden states.*AutoModel"):
        bare(PICTURES[0])


def test_a_model_of_text_and_images_names_its_tower(tmp_path: Path) -> None:
    write_words(tmp_path, end="</s>")
    vision = {**VIT, "hidden_size": 20}
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=vision, projection_dim=6)
    images = transformers.CLIPImageProcessor(size={"shortest_edge": 8}, crop_size=8)
    folder = saved(transformers.CLIPModel(config), tmp_path, images=images)
    pipe = pipeline("image-feature-extraction", model=folder, device="cpu")
    with pytest.raises(TypeError, match=r"CLIPModel reads text beside images: .*CLIPVisionModel"):
        pipe(PICTURES[0])
    tower = nabi.CLIPVisionModel.from_pretrained(folder)
    alone = pipeline("image-feature-extraction", model=tower, image_processor=folder, device="cpu")
    assert len(alone(PICTURES[0], pool=True)[0]) == 20
