"""SigLIP's text half (arXiv:2303.15343): every token sees all, and the last one speaks."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from ..config import Config
from ..nn.pretrained import PreTrainedModel
from .clip_text_model import TextTower, TowerBlock


class SiglipTextConfig(Config):
    model_type = "siglip_text_model"
    inside = "text_config"

    vocab_size: int = 32000
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 64
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | list[int] | None = 49407
    projection_size: int | None = None

    def check(self) -> None:
        super().check()
        if self.projection_size is None:
            self.projection_size = self.hidden_size


class SiglipWeights(PreTrainedModel):
    """First values: by the width of what a layer reads, or of what it reads and makes."""

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, nn.Embedding):
            module.weight.normal_(0.0, module.embedding_dim**-0.5)
        elif isinstance(module, (nn.Linear, nn.Conv2d)) and not module.weight.is_meta:
            std = math.sqrt(1 / module.weight[0].numel())
            nn.init.trunc_normal_(module.weight, std=std / 0.87962566103423978)
        elif isinstance(module, TowerBlock):
            for role in (module.q, module.k, module.v, module.o):
                nn.init.xavier_uniform_(role.weight)
            first_mlp(module.up, module.down)


def first_mlp(*layers: Any) -> None:
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        layer.bias.normal_(0.0, 1e-6)


class SiglipTextPreTrainedModel(SiglipWeights):
    config_class = SiglipTextConfig
    base_model_prefix = "text_model"


class SiglipTextModel(SiglipTextPreTrainedModel, TextTower):
    causal = False

    def build(self, config: Any) -> None:
        self.head = nn.Linear(config.hidden_size, config.projection_size)

    def pool(self, x: Tensor, input_ids: Tensor) -> Tensor:
        return self.head(x[:, -1])  # padding too: texts are padded to the full length
