"""Pictures: sizes that no model learned, bodies under other names, towers out of a whole, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import nabi
from nabi.models.parts.timm_backbone import FrozenBatchNorm, TimmBackboneConfig, TimmResNet
from nabi.models.resnet import ResNetBackbone

from .cases import CASES
from .cases.images import BODY, CLIP, DETR, PATCHES, SIGLIP, TEXT
from .pairs import assert_same, new_folder, pair

CASE = {case.name: case for case in CASES}


def pixels(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def same(name: str, head: str = "Model", **inputs: Any) -> None:
    oracle, model, _ = pair(CASE[name], head)
    with torch.no_grad():
        theirs, ours = oracle(**inputs), model(**inputs)
    for key, value in theirs.items():
        assert_same(CASE[name], {}, ours[key], value, key)


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("vit", "Model"),
        ("vit", "ForImageClassification"),
        ("deit", "Model"),
        ("clip-vision", "Model"),
        ("siglip-vision", "Model"),
        ("siglip", "ForImageClassification"),
    ],
)
@pytest.mark.parametrize("size", [(12, 10), (4, 6), (8, 9)])
def test_positions_are_drawn_out_to_images_of_another_size(name: str, head: str, size: tuple[int, int]) -> None:
    same(name, head, pixel_values=pixels(2, 3, *size), interpolate_pos_encoding=True)


@pytest.mark.parametrize("size", [(8, 12), (14, 10), (4, 4)])
def test_yolos_reads_every_size_unasked(size: tuple[int, int]) -> None:
    same("yolos", "ForObjectDetection", pixel_values=pixels(2, 3, *size))


def test_detr_reads_a_map_of_features_in_the_place_of_pixels_and_a_mask_of_queries() -> None:
    same("detr", inputs_embeds=pixels(2, 9, 32))
    same("detr", pixel_values=pixels(2, 3, 64, 40), decoder_attention_mask=torch.tensor([[1, 1, 1, 0, 1]] * 2))


# --- bodies ----------------------------------------------------------------------------------------------------------


def timm_name(name: str) -> str:
    """The name in timm of a weight of nabi's ResNet with basic layers."""
    for old, new in (
        (r"^embedder\.embedder\.convolution", "conv1"),
        (r"^embedder\.embedder\.normalization", "bn1"),
        (r"\.layer\.0\.convolution", ".conv1"),
        (r"\.layer\.1\.convolution", ".conv2"),
        (r"\.layer\.0\.normalization", ".bn1"),
        (r"\.layer\.1\.normalization", ".bn2"),
        (r"\.shortcut\.convolution", ".downsample.0"),
        (r"\.shortcut\.normalization", ".downsample.1"),
    ):
        name = re.sub(old, new, name)
    return re.sub(r"^encoder\.stages\.(\d)\.layers", lambda match: f"layer{int(match[1]) + 1}", name)


def test_a_body_under_timms_names_computes_what_the_familys_resnet_does() -> None:
    torch.manual_seed(0)
    stages = [f"stage{i}" for i in range(1, 5)]
    sizes = {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "out_features": stages}
    one = ResNetBackbone(nabi.ResNetConfig(layer_type="basic", **sizes), FrozenBatchNorm)
    for name, buffer in one.named_buffers():
        buffer.add_(torch.rand_like(buffer) * 0.1)
        assert "num_batches" not in name
    other = TimmResNet(TimmBackboneConfig(backbone="resnet18"))
    other.load_state_dict({timm_name(name): tensor for name, tensor in one.state_dict().items()})
    with torch.no_grad():
        maps = one(pixels(2, 3, 64, 40)).feature_maps
        again = other(pixels(2, 3, 64, 40))
    assert len(maps) == len(again) == 4
    for a, b in zip(maps, again, strict=True):
        torch.testing.assert_close(a, b)


def test_a_published_detr_names_timms_body_and_loads_with_the_counters_that_old_files_hold(tmp_path: Path) -> None:
    old = {"use_timm_backbone": True, "backbone": "resnet18", "scale_embedding": False, "max_position_embeddings": 1024}
    keys = {key: value for key, value in DETR.items() if key != "backbone_config"}
    config = nabi.DetrConfig(**keys, **old, backbone_config=None, dilation=True)
    assert isinstance(config.backbone_config, TimmBackboneConfig) and config.backbone_config.output_stride == 16
    model = nabi.DetrModel(config).eval()
    state = model.state_dict()
    stem = "backbone.conv_encoder.model."
    assert {stem + "conv1.weight", stem + "layer2.0.downsample.1.running_var"} <= set(state)
    learned = {name for name, parameter in model.named_parameters() if parameter.requires_grad and stem in name}
    assert learned and all(name.startswith((stem + "layer2", stem + "layer3", stem + "layer4")) for name in learned)
    state[stem + "bn1.num_batches_tracked"] = torch.tensor(5)
    loaded, info = nabi.DetrModel.from_pretrained(None, config=config, state_dict=state, output_loading_info=True)
    assert not any(info.values())
    assert [each.shape[-1] for each in loaded.backbone(pixels(1, 3, 64, 64))] == [16, 8, 4, 4]  # dilated, not halved
    loaded.save_pretrained(tmp_path)
    again = nabi.DetrModel.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(again(pixels(1, 3, 64, 64))[0], loaded(pixels(1, 3, 64, 64))[0])


@pytest.mark.parametrize(
    ("body", "by_name"),
    [
        (DETR["backbone_config"], (False, None)),
        ({"model_type": "timm_backbone", "backbone": "resnet18"}, (True, "resnet18")),
        ({"model_type": "timm_backbone", "backbone": "resnet18", "out_indices": [3, 4]}, (None, None)),
    ],
    ids=["resnet", "timm", "timm in part"],
)
def test_a_detrs_body_is_written_so_that_version_4_takes_it_for_what_it_is(
    body: dict[str, Any], by_name: tuple[bool | None, str | None]
) -> None:
    config = nabi.DetrConfig(**{**DETR, "backbone_config": body})
    keys = config.to_dict()
    assert (keys.get("use_timm_backbone"), keys.get("backbone")) == by_name
    assert ("backbone" in keys and keys["backbone"] is None) == (by_name[0] is False)
    assert ("backbone_config" in keys) == (by_name[1] is None)  # version 4 refuses both, 5 wants one
    assert nabi.DetrConfig.from_dict(keys) == config
    theirs = transformers.DetrConfig.from_dict(keys).backbone_config
    assert theirs.model_type == body["model_type"]
    assert list(theirs.out_indices) == list(config.backbone_config.out_indices)


def test_a_segmenter_starts_from_a_detector(tmp_path: Path) -> None:
    _, detector, folder = pair(CASE["detr"], "ForObjectDetection")
    model, info = nabi.DetrForSegmentation.from_pretrained(folder, output_loading_info=True)
    assert {name.partition(".")[0] for name in info["missing_keys"]} == {"mask_head", "bbox_attention"}
    assert torch.equal(model.detr.class_labels_classifier.weight, detector.class_labels_classifier.weight)


def test_norms_that_no_file_holds_start_as_norms_do() -> None:
    model = nabi.ResNetModel(nabi.ResNetConfig(hidden_sizes=[8, 12], depths=[1, 1], embedding_size=6))
    state = {name: tensor for name, tensor in model.state_dict().items() if "normalization" not in name}
    loaded = nabi.ResNetModel.from_pretrained(None, config=model.config, state_dict=state)
    assert all((tensor == 1).all() for name, tensor in loaded.state_dict().items() if name.endswith("running_var"))


# --- towers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_features_are_those_that_are_compared(family: str) -> None:
    case = CASE[family]
    oracle, model, _ = pair(case, "Model")
    inputs = case.inputs("Model")
    images, texts = inputs.pop("pixel_values"), inputs
    with torch.no_grad():
        image, text = model.get_image_features(images), model.get_text_features(**texts)
        assert_same(case, {}, image.tower, oracle.get_image_features(images), "images")
        assert_same(case, texts, text.tower, oracle.get_text_features(**texts), "texts")
    assert torch.equal(image, image.pooler_output)  # a tensor in version 4, the field of an output in version 5
    assert (
        image.last_hidden_state.shape[0] == len(images)
        and type(image / image.norm(dim=-1, keepdim=True)) is torch.Tensor
    )


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_a_tower_is_read_out_of_the_files_of_the_whole(family: str) -> None:
    _, model, folder = pair(CASE[family], "Model")
    prefix = CASE[family].prefix
    for tower in ("Text", "Vision"):
        part, info = getattr(nabi, f"{prefix}{tower}Model").from_pretrained(folder, output_loading_info=True)
        whole = getattr(model, f"{tower.lower()}_model").state_dict()
        assert not info["missing_keys"] and part.config == getattr(model.config, f"{tower.lower()}_config")
        assert all(torch.equal(tensor, whole[name]) for name, tensor in part.state_dict().items())
        assert type(nabi.AutoConfig.for_model(part.config.model_type)) is type(part.config)


def test_more_words_are_told_to_the_text_towers_configuration() -> None:
    folder = new_folder()
    model = nabi.CLIPModel(nabi.CLIPConfig(**CLIP))
    model.resize_token_embeddings(70)
    model.save_pretrained(folder)
    assert nabi.CLIPModel.from_pretrained(folder).text_model.embeddings.token_embedding.num_embeddings == 70


def test_what_the_first_clip_files_say_of_the_towers_goes_before_the_newer_keys() -> None:
    keys = {"text_config": {"eos_token_id": 2, "hidden_act": "gelu"}, "text_config_dict": {"hidden_size": 768}}
    config, theirs = nabi.CLIPConfig(**keys), transformers.CLIPConfig(**keys)
    for key in ("hidden_size", "eos_token_id", "hidden_act", "vocab_size"):
        assert getattr(config.text_config, key) == getattr(theirs.text_config, key), key
    assert config.vision_config == nabi.CLIPVisionConfig()
    assert nabi.CLIPConfig(text_config_dict=None).text_config == nabi.CLIPTextConfig()


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(message: str, name: str, head: str = "Model", kind: type[Exception] = ValueError, **inputs: Any) -> None:
    model = pair(CASE[name], head)[1]
    with pytest.raises(kind, match=message):
        model(**inputs)


IMAGE_MODELS = ["vit", "deit", "convnext", "resnet", "yolos", "detr", "clip-vision", "siglip-vision"]


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_pixels_of_another_form_are_refused(name: str) -> None:
    refused(r"has 1 channels \(shape \(2, 1, 8, 8\)\), the model reads 3", name, pixel_values=pixels(2, 1, 8, 8))
    refused(r"has shape \(3, 8, 8\).*\(batch, channels, height, width\)", name, pixel_values=pixels(3, 8, 8))
    whole = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    refused("holds numbers of torch.uint8: an image processor gives", name, pixel_values=whole)
    refused("is a list; expected a tensor", name, kind=TypeError, pixel_values=[1.0])


@pytest.mark.parametrize("name", ["vit", "deit", "clip-vision", "siglip-vision"])
def test_another_size_names_both_and_the_remedy(name: str) -> None:
    given = pixels(2, 3, 12, 10)
    refused("12 x 10 pixels, the model's 8 x 8: .*interpolate_pos_encoding=True", name, pixel_values=given)
    small = pixels(2, 3, 1, 8)
    refused("1 x 8 is smaller than a patch", name, pixel_values=small, interpolate_pos_encoding=True)


def test_masks_of_patches_and_pixels_that_do_not_fit_are_refused() -> None:
    hidden = torch.zeros(2, 16).bool()
    refused("no mask token", "vit", pixel_values=pixels(2, 3, 8, 8), bool_masked_pos=hidden)
    wrong = {"pixel_values": pixels(2, 3, 8, 8), "bool_masked_pos": hidden[:, :9]}
    refused(r"shape \(2, 9\); .*\(2, 16\)", "vit", "ForMaskedImageModeling", **wrong)
    config = nabi.ViTConfig(**PATCHES)
    with pytest.raises(ValueError, match="encoder_stride is 16"):
        nabi.ViTForMaskedImageModeling(config)(pixels(2, 3, 8, 8), hidden)
    mask = torch.ones(2, 8, 8)
    refused(r"pixel_mask has shape \(2, 8, 8\); .*64, 48", "detr", pixel_values=pixels(2, 3, 64, 48), pixel_mask=mask)


def test_objects_that_do_not_fit_are_named_by_their_picture() -> None:
    good = {"class_labels": torch.tensor([0]), "boxes": torch.tensor([[0.5, 0.5, 0.2, 0.2]])}
    given = {"pixel_values": pixels(2, 3, 8, 12)}
    for labels, message in (
        ([good], "one dictionary for each of the 2 pictures"),
        ([good, {"class_labels": good["class_labels"]}], r"labels\[1\] lacks boxes; it has class_labels"),
        ([good, {**good, "boxes": torch.rand(2, 4)}], r"boxes of labels\[1\] have shape \(2, 4\); expected \(1, 4\)"),
        ([good, {**good, "boxes": -good["boxes"]}], "width and height"),
        (
            [good, {**good, "class_labels": torch.tensor([7])}],
            r"labels of labels\[1\] are \[7\]; the model has 2",
        ),
    ):
        refused(message, "yolos", "ForObjectDetection", **given, labels=labels)


def test_a_text_without_an_end_and_unequal_pairs_are_refused() -> None:
    texts = torch.full((2, 5), 7)
    refused("no end token", "clip-text", input_ids=texts)
    refused("the text has 13 tokens, but the model knows 12", "siglip-text", input_ids=torch.full((1, 13), 7))
    pairs = {"input_ids": texts, "pixel_values": pixels(3, 3, 8, 8), "return_loss": True}
    refused("as many texts as images: 2 and 3", "siglip", **pairs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nabi.ResNetConfig(out_features=["stage9"]), "'out_features' is .*'stem', 'stage1'"),
        (lambda: nabi.ResNetConfig(out_features=["stage1"], out_indices=[2]), r"'out_indices' is \[2\].*\[1\]"),
        (lambda: nabi.ResNetConfig(out_indices=[5]), r"'out_indices' is \[5\]; expected places in .* 0 to 4"),
        (lambda: nabi.ResNetConfig(depths=[1]), "hidden_sizes and depths"),
        (lambda: nabi.DetrConfig(backbone="swin_tiny"), "'backbone' is 'swin_tiny', .*resnet50"),
        (lambda: nabi.DetrConfig(backbone_config={"model_type": "swin"}), "in 'backbone_config': model_type is 'swin'"),
        (lambda: nabi.DetrConfig(**{**DETR, "dilation": True}), "'dilation'"),
        (lambda: nabi.DetrConfig(backbone_kwargs=3), "'backbone_kwargs' is 3; expected an object"),
        (lambda: nabi.CLIPConfig(text_config_dict=3), "'text_config' is 3; expected an object"),
        (lambda: nabi.YolosConfig(auxiliary_loss=True), "'auxiliary_loss'"),
        (lambda: nabi.ViTModel(nabi.ViTConfig(image_size=8)), "8 x 8 is smaller than a patch of 16 x 16"),
        (lambda: nabi.CLIPConfig(text_config={"hidden_sice": 4}), "in 'text_config': CLIPTextConfig does not know"),
        (
            lambda: nabi.DetrForSegmentation(
                nabi.DetrConfig(**{**DETR, "backbone_config": {**BODY, "out_features": ["stage4"]}})
            ),
            "four feature maps of the body, backbone_config names 1",
        ),
    ],
)
def test_a_config_that_makes_no_model_is_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_image_of_which_no_stage_would_leave_anything_is_refused() -> None:
    config = nabi.ConvNextConfig(hidden_sizes=[4, 4], depths=[1, 1], num_stages=2)
    with pytest.raises(ValueError, match="the images are 8 x 7 pixels; of fewer than 8 x 8 nothing is left"):
        nabi.ConvNextModel(config)(torch.zeros(1, 3, 8, 7))
    assert nabi.ConvNextModel(config)(torch.zeros(1, 3, 8, 8)).last_hidden_state.shape == (1, 4, 1, 1)


def test_a_vision_tower_without_a_pooling_head_cannot_be_compared() -> None:
    keys = {"text_config": TEXT, "vision_config": {**SIGLIP["vision_config"], "vision_use_head": False}}
    with pytest.raises(ValueError, match="vision_use_head"):
        nabi.SiglipModel(nabi.SiglipConfig(**keys)).get_image_features(pixels(1, 3, 8, 8))
