"""SigLIP's image half (arXiv:2303.15343): patches without a class token; a learned query asks them all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn.mlp import activation_function
from ..nn.roles import At, RoleModule
from .clip_vision_model import VisionTower
from .siglip_text_model import SiglipWeights, first_mlp


class SiglipVisionConfig(Config):
    model_type = "siglip_vision_model"
    inside = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int | list[int] = 224
    patch_size: int | list[int] = 16
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    vision_use_head: bool = True


class AttentionPooling(RoleModule):
    """(batch, tokens, hidden) -> (batch, hidden), by attention from a learned query."""

    up, down = At("mlp.fc1"), At("mlp.fc2")

    def __init__(self, config: Any) -> None:
        super().__init__()
        size = config.hidden_size
        self.probe = nn.Parameter(torch.zeros(1, 1, size))
        self.attention = nn.MultiheadAttention(size, config.num_attention_heads, batch_first=True)
        self.layernorm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.up, self.down = nn.Linear(size, config.intermediate_size), nn.Linear(config.intermediate_size, size)
        self.activation = activation_function(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        asked, _ = self.attention(self.probe.expand(len(x), -1, -1), x, x, need_weights=False)
        return (asked + self.down(self.activation(self.up(self.layernorm(asked)))))[:, 0]


class SiglipImageWeights(SiglipWeights):
    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, AttentionPooling):
            nn.init.xavier_uniform_(module.probe)
            nn.init.xavier_uniform_(module.attention.in_proj_weight)
            module.attention.in_proj_bias.zero_()
            first_mlp(module.up, module.down)


class SiglipVisionPreTrainedModel(SiglipImageWeights):
    config_class = SiglipVisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"


class SiglipVisionModel(SiglipVisionPreTrainedModel, VisionTower):
    has_class_token = False

    def build(self, config: Any) -> None:
        self.head = AttentionPooling(config) if config.vision_use_head else None

    def finish(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        x = self.norm(x)
        return x, None if self.head is None else self.head(x)
