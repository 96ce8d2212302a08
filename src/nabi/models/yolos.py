"""YOLOS (arXiv:2106.00666): ViT with tokens at the end of the row, each of which finds one object or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..nn import heads
from ..nn.block import Block
from ..nn.context import Context
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import ObjectDetectionOutput
from .detr import BoxHead
from .parts.detection import detection_losses, weighted_sum
from .vit import PatchConfig, PatchEmbeddings, PatchEncoder


class YolosConfig(PatchConfig):
    model_type = "yolos"
    only = {"auxiliary_loss": False}  # the incumbent names it, and fails on it

    image_size: int | list[int] | tuple[int, ...] = (512, 864)
    num_detection_tokens: int = 100
    use_mid_position_embeddings: bool = True
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1


class YolosEmbeddings(PatchEmbeddings):
    def __init__(self, config: Any, use_mask_token: bool = False) -> None:
        super().__init__(config, use_mask_token, after=config.num_detection_tokens)


class YolosPreTrainedModel(PreTrainedModel):
    config_class = YolosConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"


class YolosModel(YolosPreTrainedModel, PatchEncoder):
    """Reads images of any size. Every block but the first may have positions of its own, added to what it reads."""

    embeddings_class = YolosEmbeddings
    any_size = True
    mid_positions = At("encoder.mid_position_embeddings")

    def __init__(self, config: Any, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        if config.use_mid_position_embeddings:
            _, length, size = self.embeddings.position_embeddings.shape
            self.mid_positions = nn.Parameter(torch.zeros(max(config.num_hidden_layers - 1, 0), 1, length, size))

    def make_pooler(self, config: Any) -> nn.Module:
        return heads.Pooler(config.hidden_size)

    def schedule(self, grid: tuple[int, int]) -> Iterable[Callable[[Tensor, Context], Tensor]]:
        if not self.config.use_mid_position_embeddings:
            return self.blocks
        places = self.embeddings.positions_for(grid, self.mid_positions.flatten(0, 1))
        rest = zip(self.blocks[1:], places, strict=True)
        return [*self.blocks[:1], *(partial(placed, block, place) for block, place in rest)]


def placed(block: Block, place: Tensor, x: Tensor, context: Context) -> Tensor:
    return block(x + place, context)


class YolosObjectDetectionOutput(ObjectDetectionOutput):
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class YolosForObjectDetection(YolosPreTrainedModel, heads.HeadModel):
    """A class and a box from every detection token; the class beyond the last label means that there is nothing."""

    body_class = YolosModel
    body_options = {"add_pooling_layer": False}

    def build(self, config: Any) -> None:
        self.class_labels_classifier = BoxHead(config.hidden_size, config.num_labels + 1)
        self.bbox_predictor = BoxHead(config.hidden_size, 4)

    def forward(self, pixel_values: Tensor, labels: Any = None, **inputs: Any) -> YolosObjectDetectionOutput:
        """logits (batch, tokens, labels + 1) and pred_boxes (batch, tokens, 4): center x, y, width, height, each a
        share of the picture. labels: for each picture {"class_labels": (objects,), "boxes": (objects, 4)}."""
        out = self.run_body(pixel_values, **inputs)
        x = out.last_hidden_state[:, -self.config.num_detection_tokens :]
        found = {"logits": self.class_labels_classifier(x), "pred_boxes": self.bbox_predictor(x).sigmoid()}
        losses = None if labels is None else detection_losses(found, labels, self.config)
        loss = None if losses is None else weighted_sum(losses, self.config)
        return YolosObjectDetectionOutput(loss=loss, loss_dict=losses, **found, **out)
