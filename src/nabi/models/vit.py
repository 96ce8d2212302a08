"""ViT (arXiv:2010.11929): an image as a row of patches, read by a Transformer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.block import ConfigBlock
from ..nn.context import Context, open_context
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At, RoleModule
from ..nn.stack import run_stack
from ..nn.wiring import pre_norm
from ..outputs import BaseModelOutputWithPooling, MaskedImageModelingOutput
from .parts import images


class PatchConfig(Config):
    """The keys that encoders of patches share."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int | list[int] | tuple[int, ...] = 224
    patch_size: int | list[int] = 16
    num_channels: int = 3
    qkv_bias: bool = True


class ViTConfig(PatchConfig):
    model_type = "vit"

    encoder_stride: int = 16
    pooler_output_size: int | None = None
    pooler_act: str = "tanh"

    def check(self) -> None:
        super().check()
        if self.pooler_output_size is None:
            self.pooler_output_size = self.hidden_size


class ViTBlock(ConfigBlock):
    hooks_see_tuples = False
    wiring = pre_norm
    q, k, v = At("attention.attention.query"), At("attention.attention.key"), At("attention.attention.value")
    o = At("attention.output.dense")
    norm_attn = At("layernorm_before")
    up, down = At("intermediate.dense"), At("output.dense")
    norm_mlp = At("layernorm_after")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            attention_bias=config.qkv_bias,
        )


class PatchEmbeddings(RoleModule):
    """Patches as vectors, learned tokens before and after them, and a learned position for each.

    before: the names of the single tokens at the front; `after`, how many `detection_tokens` stand at the end.
    """

    projection = At("patch_embeddings.projection")
    before: ClassVar[tuple[str, ...]] = ("cls_token",)

    def __init__(self, config: Any, use_mask_token: bool = False, after: int = 0) -> None:
        super().__init__()
        self.patch, self.size, self.after = images.two(config.patch_size), images.two(config.image_size), after
        self.grid = images.grid_of(self.size, self.patch)
        self.projection = images.PatchProjection(config)
        for name in self.before:
            setattr(self, name, nn.Parameter(torch.zeros(1, 1, config.hidden_size)))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size)) if use_mask_token else None
        if after:
            self.detection_tokens = nn.Parameter(torch.zeros(1, after, config.hidden_size))
        length = len(self.before) + self.grid[0] * self.grid[1] + after
        self.position_embeddings = nn.Parameter(torch.zeros(1, length, config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def positions_for(self, grid: tuple[int, int], positions: Tensor) -> Tensor:
        """(rows, tokens, size), those of the patches drawn out to this grid."""
        first, last = len(self.before), positions.shape[1] - self.after
        patches = images.resized_positions(positions[:, first:last], self.grid, grid)
        return torch.cat((positions[:, :first], patches, positions[:, last:]), dim=1)

    def forward(self, pixel_values: Tensor, hidden: Tensor | None = None, resize: bool = False) -> Tensor:
        """(batch, tokens, size). hidden (batch, patches): which patches the mask token covers."""
        pixels = images.check_pixels(pixel_values, self.projection.weight)
        if not resize:
            images.check_image_size(pixels, self.size, "resize them, or pass interpolate_pos_encoding=True")
        grid = images.grid_of(pixels.shape[-2:], self.patch)
        x = self.projection(pixels)
        if hidden is not None:
            x = self.cover(x, hidden)
        rows = len(x)
        tokens = [getattr(self, name).expand(rows, -1, -1) for name in self.before]
        tokens.append(x)
        if self.after:
            tokens.append(self.detection_tokens.expand(rows, -1, -1))
        return self.dropout(torch.cat(tokens, dim=1) + self.positions_for(grid, self.position_embeddings))

    def cover(self, x: Tensor, hidden: Tensor) -> Tensor:
        if self.mask_token is None:
            raise ValueError("bool_masked_pos was given, but this model has no mask token: use …ForMaskedImageModeling")
        if hidden.shape != x.shape[:2]:
            raise ValueError(
                f"bool_masked_pos has shape {tuple(hidden.shape)}; expected {tuple(x.shape[:2])}, a patch each"
            )
        return torch.where(hidden.to(x.device).bool()[..., None], self.mask_token.to(x.dtype), x)


class ImagePooler(nn.Module):
    """The first token's hidden state through a layer."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.pooler_output_size)
        self.activation = activation_function(config.pooler_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.dense(x[:, 0]))


class PatchEncoder(PreTrainedModel):
    """The body that encoders of patches share: embeddings, blocks, a norm, perhaps a pooler."""

    embeddings_class: ClassVar[type[PatchEmbeddings]] = PatchEmbeddings
    any_size: ClassVar[bool] = False  # positions are drawn out to the images unasked
    blocks = At("encoder.layer")
    norm = At("layernorm")

    def __init__(self, config: Any, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.embeddings = self.embeddings_class(config, use_mask_token)
        self.blocks = nn.ModuleList(ViTBlock(config, i) for i in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = self.make_pooler(config) if add_pooling_layer else None
        self.post_init()

    def make_pooler(self, config: Any) -> nn.Module:
        return ImagePooler(config)

    def schedule(self, grid: tuple[int, int]) -> Iterable[Callable[[Tensor, Context], Tensor]]:
        """The blocks in order, for patches that lie in this grid."""
        return self.blocks

    def forward(
        self,
        pixel_values: Tensor,
        bool_masked_pos: Tensor | None = None,
        interpolate_pos_encoding: bool | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """last_hidden_state (batch, tokens, hidden) of pixel_values (batch, channels, height, width).

        bool_masked_pos (batch, patches): the patches that the mask token covers. interpolate_pos_encoding: draw the
        learned positions out to images of another size. attention_mask (batch, tokens), 1 at tokens to be seen.
        """
        x = self.embeddings(pixel_values, bool_masked_pos, bool(interpolate_pos_encoding) or self.any_size)
        context = open_context(
            self.config,
            x,
            causal=False,
            attention_mask=attention_mask,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        blocks = self.schedule(images.grid_of(pixel_values.shape[-2:], self.embeddings.patch))
        x = run_stack(blocks, x, context, recompute=self.recomputes)
        context.see(x)
        x = self.norm(x)
        pooled = None if self.pooler is None else self.pooler(x)
        return BaseModelOutputWithPooling(last_hidden_state=x, pooler_output=pooled, **context.collected())


class MaskedImageModeling(heads.HeadModel):
    """Paint in the patches that were covered (arXiv:2111.09886)."""

    body_options = {"add_pooling_layer": False, "use_mask_token": True}

    def build(self, config: Any) -> None:
        painted = nn.Conv2d(config.hidden_size, config.encoder_stride**2 * config.num_channels, kernel_size=1)
        self.decoder = nn.Sequential(painted, nn.PixelShuffle(config.encoder_stride))

    def forward(
        self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None, **inputs: Any
    ) -> MaskedImageModelingOutput:
        """reconstruction (batch, channels, height, width). With bool_masked_pos (batch, patches) there is a loss: how
        far the covered patches are from the pixels that were there."""
        config, embeddings = self.config, self.base_model.embeddings
        stride = images.two(config.encoder_stride)
        if bool_masked_pos is not None and stride != embeddings.patch:
            raise ValueError(
                f"config.encoder_stride is {config.encoder_stride}, config.patch_size {config.patch_size}: for a loss "
                "they must be equal, so that the painted image has the size of the given one"
            )
        out = self.run_body(pixel_values, bool_masked_pos, **inputs)
        grid = images.grid_of(pixel_values.shape[-2:], embeddings.patch)
        patches = out.last_hidden_state[:, len(embeddings.before) :]
        painted = self.decoder(patches.transpose(1, 2).unflatten(2, grid))
        loss = None
        if bool_masked_pos is not None:
            covered = bool_masked_pos.view(-1, *grid).to(painted.device)
            covered = covered.repeat_interleave(stride[0], 1).repeat_interleave(stride[1], 2)[:, None]
            height, width = painted.shape[-2:]
            wrong = (pixel_values[..., :height, :width] - painted).abs() * covered
            loss = wrong.sum() / (covered.sum() + 1e-5) / config.num_channels
        return MaskedImageModelingOutput(loss=loss, reconstruction=painted, **heads.seen(out))


class ViTPreTrainedModel(PreTrainedModel):
    config_class = ViTConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, PatchEmbeddings):
            for parameter in (module.cls_token, module.position_embeddings):
                truncated_normal(parameter, self.config.initializer_range)


def truncated_normal(parameter: Tensor, std: float) -> None:
    if not parameter.is_meta:
        nn.init.trunc_normal_(parameter, std=std)


class ViTModel(ViTPreTrainedModel, PatchEncoder):
    pass


class ViTForMaskedImageModeling(ViTPreTrainedModel, MaskedImageModeling):
    body_class = ViTModel


class ViTForImageClassification(ViTPreTrainedModel, heads.ImageClassification):
    body_class = ViTModel
    body_options = {"add_pooling_layer": False}
