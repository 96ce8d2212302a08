"""CLIP's image half (arXiv:2103.00020): patches through a tower of the same blocks as its text."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.context import open_context
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import BaseModelOutputWithPooling, ModelOutput
from .clip_text_model import CLIPWeights, TowerBlock, fill
from .parts import images


class CLIPVisionConfig(Config):
    model_type = "clip_vision_model"
    inside = "vision_config"
    no_effect = Config.no_effect | {"dropout"}  # old files name one, no version has it

    hidden_size: int = 768
    intermediate_size: int = 3072
    projection_dim: int = 512
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int | list[int] = 224
    patch_size: int | list[int] = 32
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0


class VisionTower(PreTrainedModel):
    """Patches and positions -> blocks -> one vector for the image, by `finish`."""

    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    has_class_token: ClassVar[bool]
    patches, positions = At("embeddings.patch_embedding"), At("embeddings.position_embedding")
    class_token = At("embeddings.class_embedding")
    blocks, norm = At("encoder.layers"), At("post_layernorm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.patch, self.size = images.two(config.patch_size), images.two(config.image_size)
        self.grid = images.grid_of(self.size, self.patch)
        self.patches = images.PatchProjection(config, bias=not self.has_class_token)
        if self.has_class_token:
            self.class_token = nn.Parameter(torch.zeros(config.hidden_size))
        self.positions = nn.Embedding(self.grid[0] * self.grid[1] + self.has_class_token, config.hidden_size)
        self.blocks = nn.ModuleList(TowerBlock(config, i) for i in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """What else there is."""

    def finish(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """last_hidden_state and pooler_output of what the blocks made."""
        raise TypeError(f"{type(self).__name__} has no pooling")

    def embed(self, pixel_values: Tensor, resize: bool) -> Tensor:
        pixels = images.check_pixels(pixel_values, self.patches.weight)
        if not resize:
            images.check_image_size(pixels, self.size, "resize them, or pass interpolate_pos_encoding=True")
        grid = images.grid_of(pixels.shape[-2:], self.patch)
        x, first, places = self.patches(pixels), int(self.has_class_token), self.positions.weight[None]
        if first:
            x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1)
        return x + torch.cat((places[:, :first], images.resized_positions(places[:, first:], self.grid, grid)), dim=1)

    def forward(
        self,
        pixel_values: Tensor,
        interpolate_pos_encoding: bool | None = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """last_hidden_state (batch, tokens, hidden) and pooler_output (batch, hidden) of pixel_values (batch, channels,
        height, width). interpolate_pos_encoding: draw the positions out to images of another size."""
        x = self.embed(pixel_values, bool(interpolate_pos_encoding))
        context = open_context(
            self.config,
            x,
            causal=False,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = run_stack(self.blocks, x, context, recompute=self.recomputes)
        context.see(x)
        last, pooled = self.finish(x)
        return BaseModelOutputWithPooling(last_hidden_state=last, pooler_output=pooled, **context.collected())


class CLIPImageWeights(CLIPWeights):
    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, VisionTower):
            config, factor = module.config, self.config.initializer_factor
            if not module.class_token.is_meta:
                module.class_token.normal_(0.0, config.hidden_size**-0.5 * factor)
            fill(module.patches, config.initializer_range * factor)
            fill(module.positions, config.initializer_range * factor)


class CLIPVisionPreTrainedModel(CLIPImageWeights):
    config_class = CLIPVisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"


class CLIPVisionModel(CLIPVisionPreTrainedModel, VisionTower):
    has_class_token = True
    norm_before = At("pre_layrnorm")  # so it is spelt on disk

    def build(self, config: Any) -> None:
        self.norm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def embed(self, pixel_values: Tensor, resize: bool) -> Tensor:
        return self.norm_before(super().embed(pixel_values, resize))

    def finish(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        return x, self.norm(x[:, 0])


class CLIPVisionModelOutput(ModelOutput):
    image_embeds: Tensor
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class CLIPVisionModelWithProjection(CLIPVisionPreTrainedModel, heads.HeadModel):
    """The image's vector where it can be compared with a text's."""

    body_class = CLIPVisionModel

    def build(self, config: Any) -> None:
        self.visual_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)

    def forward(self, pixel_values: Tensor, *args: Any, **inputs: Any) -> CLIPVisionModelOutput:
        """image_embeds (batch, projection_dim)"""
        out = self.run_body(pixel_values, *args, **inputs)
        image = self.visual_projection(out.pooler_output)
        return CLIPVisionModelOutput(image_embeds=image, last_hidden_state=out.last_hidden_state, **heads.seen(out))
