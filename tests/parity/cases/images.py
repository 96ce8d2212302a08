"""Pictures, and pictures beside texts. A text tower is of this kind too: it has no cache and takes no vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .case import Case
from .inputs import ROWS, classes, image_labels

Labels = dict[str, Any]
PATCHES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "image_size": 8,
    "patch_size": 2,
}
RESNET: dict[str, Any] = {"hidden_sizes": [8, 12, 16], "depths": [1, 2, 1], "embedding_size": 6}
BODY: dict[str, Any] = {
    "model_type": "resnet",
    "hidden_sizes": [8, 12, 16, 20],
    "depths": [1, 2, 1, 1],
    "embedding_size": 6,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
DETR: dict[str, Any] = {
    "backbone_config": BODY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 8,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 20,
    "num_queries": 5,
    "dropout": 0.0,
}
YOLOS: dict[str, Any] = {
    **PATCHES,
    "image_size": [8, 12],
    "num_hidden_layers": 3,
    "num_detection_tokens": 4,
}
TEXT: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 12,
    "eos_token_id": 59,
}


def pixels(height: int, width: int) -> Callable[[Case, str, str], dict[str, Tensor]]:
    """Pictures of one size."""

    def make(case: Case, head: str, side: str) -> dict[str, Tensor]:
        return {"pixel_values": torch.randn(ROWS, 3, height, width, generator=torch.Generator().manual_seed(7))}

    return make


def framed(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Pictures of three sizes in one frame."""
    mask = torch.ones(ROWS, 64, 48, dtype=torch.long)
    mask[1, 40:] = 0
    mask[2, :, 30:] = 0
    return {**pixels(64, 48)(case, head, side), "pixel_mask": mask}


def texts(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Three texts with one end token each; pictures besides for what compares the two."""
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(5, 58, (ROWS, 9), generator=generator)
    mask = torch.ones(ROWS, 9, dtype=torch.long)
    for row, padding in enumerate((0, 2, 4)):
        ids[row, 8 - padding] = 59
        ids[row, 9 - padding :] = 1
        mask[row, 9 - padding :] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if case.prefix not in ("CLIPText", "SiglipText"):
        inputs.update(pixels(8, 8)(case, head, side))
    return pixels(8, 8)(case, head, side) if head == "ForImageClassification" else inputs


def objects(case: Case, head: str, config: Any) -> Labels:
    """Two, none and three objects, with masks of other sizes than the pictures."""
    if head == "Model":
        return {}
    generator = torch.Generator().manual_seed(5)
    labels = []
    for count in (2, 0, 3):
        boxes = torch.rand(count, 4, generator=generator) * 0.4 + 0.1
        masks = (torch.rand(count, 40 + count, 50 - count, generator=generator) < 0.5).float()
        labels.append({"class_labels": classes(2, count), "boxes": boxes, "masks": masks})
    return {"labels": labels}


def painted(case: Case, head: str, config: Any) -> Labels:
    if head != "ForMaskedImageModeling":
        return image_labels(case, head, config)
    return {"bool_masked_pos": torch.rand(ROWS, 16, generator=torch.Generator().manual_seed(8)) < 0.5}


def compared(case: Case, head: str, config: Any) -> Labels:
    return {"return_loss": True} if head == "Model" else image_labels(case, head, config)


image = partial(Case, kind="image")
NO_LABELS = ("num_labels", "id2label", "problem_type")
SIZES: dict[str, Any] = {"image_size": 12, "patch_size": 4, "num_channels": 1, "pooler_act": "relu"}
STAGES: dict[str, Any] = {
    "hidden_sizes": [8, 12, 20],
    "depths": [2, 2, 1],
    "out_features": ["stage1"],
    "out_indices": [1],
    "stage_names": ["one", "two"],
    "hidden_act": "tanh",
    "layer_type": "basic",
    "patch_size": 4,
    "num_stages": 4,
}
COSTS: dict[str, Any] = {"class_cost": 90.0, "bbox_cost": 0.0, "giou_cost": 90.0}
patches = partial(image, make_labels=painted, others=SIZES)
stages = partial(image, make_inputs=pixels(32, 24), others=STAGES, unused=("output_attentions",))
detects = partial(image, make_labels=objects, unused=("problem_type",))
towers = partial(image, make_inputs=texts, make_labels=compared)
ASKED_OF_TOWERS = ("output_hidden_states", "output_attentions")  # their own configurations say so
CONVNEXT: dict[str, Any] = {"hidden_sizes": [8, 12, 16], "depths": [1, 2, 1], "num_stages": 3, "patch_size": 2}
VISION: dict[str, Any] = {**PATCHES, "hidden_size": 20}
SIGLIP: dict[str, Any] = {"text_config": TEXT, "vision_config": PATCHES}
CLIP: dict[str, Any] = {"text_config": TEXT, "vision_config": VISION, "projection_dim": 6}
OTHER_TOWERS = {"text_config": {**TEXT, "hidden_act": "relu"}, "vision_config": {**PATCHES, "hidden_act": "relu"}}

CASES = [
    patches("vit", "vit", {**PATCHES, "encoder_stride": 2}),
    patches("vit-other", "vit", {**PATCHES, "encoder_stride": 2, "qkv_bias": False, "pooler_act": "relu"}),
    patches("deit", "deit", {**PATCHES, "encoder_stride": 2}),
    stages("convnext", "convnext", CONVNEXT),
    stages(
        "convnext-plain",
        "convnext",
        {**CONVNEXT, "layer_scale_init_value": 0.0, "out_features": ["stem", "stage2"]},
        only=("Model", "Backbone"),
    ),
    stages("resnet", "resnet", RESNET),
    stages(
        "resnet-basic",
        "resnet",
        {**RESNET, "layer_type": "basic", "hidden_act": "gelu", "out_features": ["stem", "stage2"]},
        only=("Model", "Backbone"),
    ),
    stages(
        "resnet-early",
        "resnet",
        {**RESNET, "downsample_in_first_stage": True, "downsample_in_bottleneck": True},
        only=("Model",),
    ),
    detects("yolos", "yolos", YOLOS, make_inputs=pixels(12, 10), others={**SIZES, **COSTS, "image_size": [12, 8]}),
    detects("yolos-plain", "yolos", {**YOLOS, "use_mid_position_embeddings": False}, only=("Model",)),
    detects(
        "detr",
        "detr",
        DETR,
        make_inputs=framed,
        others={**COSTS, "num_channels": 1, "backbone_config": {**BODY, "hidden_act": "gelu"}},
    ),
    detects(
        "detr-steps",
        "detr",
        {**DETR, "auxiliary_loss": True, "position_embedding_type": "learned", "activation_function": "gelu"},
        make_inputs=framed,
        only=("Model", "ForObjectDetection", "ForSegmentation"),
    ),
    towers("clip", "clip", CLIP, others=OTHER_TOWERS, unused=ASKED_OF_TOWERS),
    towers("clip-text", "clip_text_model", {**TEXT, "projection_dim": 10}, make_labels=None, unused=NO_LABELS),
    towers(
        "clip-text-first",
        "clip_text_model",
        {**TEXT, "eos_token_id": 2},
        make_labels=None,
        only=("Model",),
    ),
    image("clip-vision", "clip_vision_model", {**VISION, "projection_dim": 10}, others=SIZES, unused=NO_LABELS),
    towers("siglip", "siglip", SIGLIP, others=OTHER_TOWERS, unused=ASKED_OF_TOWERS),
    towers(
        "siglip-text",
        "siglip_text_model",
        TEXT,
        make_labels=None,
        others={"projection_size": 7},
        unused=NO_LABELS,
    ),
    image("siglip-vision", "siglip_vision_model", PATCHES, others=SIZES, unused=NO_LABELS),
    image(
        "siglip-vision-plain",
        "siglip_vision_model",
        {**PATCHES, "vision_use_head": False},
        only=("Model",),
        others=SIZES,
    ),
]
