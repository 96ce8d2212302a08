"""DeiT (arXiv:2012.12877): ViT with a second token, which learned from a teacher."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from ..outputs import ModelOutput
from .vit import MaskedImageModeling, PatchEmbeddings, PatchEncoder, ViTConfig


class DeiTConfig(ViTConfig):
    model_type = "deit"


class DeiTEmbeddings(PatchEmbeddings):
    before = ("cls_token", "distillation_token")


class DeiTPreTrainedModel(PreTrainedModel):
    config_class = DeiTConfig
    base_model_prefix = "deit"
    main_input_name = "pixel_values"


class DeiTModel(DeiTPreTrainedModel, PatchEncoder):
    embeddings_class = DeiTEmbeddings


class DeiTForMaskedImageModeling(DeiTPreTrainedModel, MaskedImageModeling):
    body_class = DeiTModel


class DeiTForImageClassification(DeiTPreTrainedModel, heads.ImageClassification):
    body_class = DeiTModel
    body_options = {"add_pooling_layer": False}


class DeiTForImageClassificationWithTeacherOutput(ModelOutput):
    logits: Tensor
    cls_logits: Tensor
    distillation_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class DeiTForImageClassificationWithTeacher(DeiTPreTrainedModel, heads.HeadModel):
    """Two classifiers, one on each token; their mean speaks. For use, not for training: it takes no labels."""

    body_class = DeiTModel
    body_options = {"add_pooling_layer": False}

    def build(self, config: Any) -> None:
        self.cls_classifier = heads.image_classifier(config.hidden_size, config.num_labels)
        self.distillation_classifier = heads.image_classifier(config.hidden_size, config.num_labels)

    def forward(self, pixel_values: Tensor, **inputs: Any) -> DeiTForImageClassificationWithTeacherOutput:
        """logits (batch, labels), the mean of cls_logits and distillation_logits."""
        out = self.run_body(pixel_values, **inputs)
        own = self.cls_classifier(out.last_hidden_state[:, 0])
        taught = self.distillation_classifier(out.last_hidden_state[:, 1])
        return DeiTForImageClassificationWithTeacherOutput(
            logits=(own + taught) / 2, cls_logits=own, distillation_logits=taught, **heads.seen(out)
        )
