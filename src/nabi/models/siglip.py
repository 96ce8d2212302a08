"""SigLIP (arXiv:2303.15343): CLIP, but each pair of a text and an image is judged for itself."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .clip import ContrastiveModel, ContrastiveOutput, TowerImageClassification, TowersConfig
from .clip_text_model import fill
from .siglip_text_model import SiglipTextConfig, SiglipTextModel
from .siglip_vision_model import SiglipImageWeights, SiglipVisionConfig, SiglipVisionModel


class SiglipConfig(TowersConfig):
    model_type = "siglip"
    nested = {"text_config": SiglipTextConfig.from_dict, "vision_config": SiglipVisionConfig.from_dict}


class SiglipPreTrainedModel(SiglipImageWeights):
    config_class = SiglipConfig
    base_model_prefix = "siglip"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, SiglipForImageClassification) and self.config.num_labels:
            size = self.config.vision_config.hidden_size
            fill(module.classifier, size**-0.5 * self.config.initializer_factor)


class SiglipOutput(ContrastiveOutput):
    pass


class SiglipModel(SiglipPreTrainedModel, ContrastiveModel):
    text_class, vision_class, output_class = SiglipTextModel, SiglipVisionModel, SiglipOutput

    def build(self, config: Any) -> None:
        self.logit_scale = nn.Parameter(torch.zeros(1))
        self.logit_bias = nn.Parameter(torch.zeros(1))

    def scale(self, nearness: Tensor) -> Tensor:
        return nearness * self.logit_scale.exp() + self.logit_bias

    def contrast(self, logits_per_text: Tensor) -> Tensor:
        """Each pair: do they belong together?"""
        sign = 2 * torch.eye(len(logits_per_text), device=logits_per_text.device) - 1
        return -F.logsigmoid(sign * logits_per_text).sum(-1).mean()


class SiglipForImageClassification(SiglipPreTrainedModel, TowerImageClassification):
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    body_class = SiglipVisionModel
