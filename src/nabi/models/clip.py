"""CLIP (arXiv:2103.00020): a text and an image that belong together get vectors that lie together."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import BaseModelOutputWithPooling, ModelOutput
from .clip_text_model import CLIPTextConfig, CLIPTextModel, fill
from .clip_vision_model import CLIPImageWeights, CLIPVisionConfig, CLIPVisionModel


class TextAndVisionConfig(Config):
    """The configurations of a model of texts and one of images."""

    text_config: Config | None = None
    vision_config: Config | None = None

    @property
    def vocab_size(self) -> int:
        return self.text_config.vocab_size  # type: ignore[union-attr]

    @vocab_size.setter
    def vocab_size(self, count: int) -> None:
        self.text_config.update({"vocab_size": count})  # type: ignore[union-attr]


class TowersConfig(TextAndVisionConfig):
    """The configurations of two towers."""

    initializer_factor: float = 1.0


class CLIPConfig(TowersConfig):
    model_type = "clip"
    nested = {"text_config": CLIPTextConfig.from_dict, "vision_config": CLIPVisionConfig.from_dict}
    older = ("text_config_dict", "vision_config_dict")  # what the first files say: it goes before the newer key

    projection_dim: int = 512
    logit_scale_init_value: float = 2.6592

    def __init__(self, **keys: Any) -> None:
        for old, kind in zip(self.older, (CLIPTextConfig, CLIPVisionConfig), strict=True):
            if (said := keys.pop(old, None)) is not None:
                name = old.removesuffix("_dict")
                newer = keys.get(name) or {}
                newer = newer.to_dict() if isinstance(newer, Config) else newer
                both = isinstance(said, dict) and isinstance(newer, dict)
                keys[name] = {**newer, **kind(**said).to_dict()} if both else said  # no keys: refused by its name
        super().__init__(**keys)


class Features(Tensor):
    """Vectors (batch, size), as version 4 gives them; what is computed from them is a plain tensor. In version 5 they
    are the pooler_output of a tower's output, whose fields are read here as well."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    tower: ModelOutput

    @classmethod
    def of(cls, tower: BaseModelOutputWithPooling) -> Features:
        assert tower.pooler_output is not None
        found = tower.pooler_output.as_subclass(cls)
        found.tower = tower
        return found

    def __getattr__(self, name: str) -> Any:
        if name not in BaseModelOutputWithPooling.field_names() or "tower" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.tower, name)


class ContrastiveOutput(ModelOutput):
    loss: Tensor | None
    logits_per_image: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    image_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    vision_model_output: BaseModelOutputWithPooling


class ContrastiveModel(PreTrainedModel):
    """Two towers, and how near the vectors of their texts and images are."""

    text_class: ClassVar[type[PreTrainedModel]]
    vision_class: ClassVar[type[PreTrainedModel]]
    output_class: ClassVar[type[ContrastiveOutput]]
    word_embeddings = At("text_model.embeddings.token_embedding")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.text_model = self.text_class(config.text_config)
        self.vision_model = self.vision_class(config.vision_config)
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """Make what stands on the towers."""

    def project_text(self, x: Tensor) -> Tensor:
        return x

    def project_image(self, x: Tensor) -> Tensor:
        return x

    def scale(self, nearness: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} has no scale")

    def contrast(self, logits_per_text: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} has no loss")

    def get_text_features(self, input_ids: Tensor, *args: Any, **inputs: Any) -> Features:
        """Texts as vectors (batch, size) where images are; inputs as the text tower's."""
        return Features.of(self.read_texts(input_ids, *args, **inputs))

    def get_image_features(self, pixel_values: Tensor, *args: Any, **inputs: Any) -> Features:
        """Images as vectors (batch, size) where texts are; inputs as the vision tower's."""
        return Features.of(self.read_images(pixel_values, *args, **inputs))

    def read_texts(self, input_ids: Tensor, *args: Any, **inputs: Any) -> BaseModelOutputWithPooling:
        """The text tower's output, its pooler_output projected."""
        out = self.text_model(input_ids, *args, return_dict=True, **inputs)
        out.pooler_output = self.project_text(out.pooler_output)
        return out

    def read_images(self, pixel_values: Tensor, *args: Any, **inputs: Any) -> BaseModelOutputWithPooling:
        """The vision tower's output, its pooler_output projected."""
        out = self.vision_model(pixel_values, *args, return_dict=True, **inputs)
        if out.pooler_output is None:
            raise ValueError("the vision tower has no pooling head (vision_use_head=False): no image can be compared")
        out.pooler_output = self.project_image(out.pooler_output)
        return out

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        **wanted: Any,
    ) -> ContrastiveOutput:
        """logits_per_text (texts, images) and its transpose, logits_per_image; text_embeds and image_embeds have length
        1. return_loss: the n-th text belongs to the n-th image."""
        image = self.read_images(pixel_values, interpolate_pos_encoding, **wanted)
        text = self.read_texts(input_ids, attention_mask, position_ids, **wanted)
        image_embeds, text_embeds = (F.normalize(each["pooler_output"], dim=-1) for each in (image, text))
        logits = self.scale(text_embeds @ image_embeds.T)
        if return_loss and logits.shape[0] != logits.shape[1]:
            raise ValueError(f"return_loss wants as many texts as images: {logits.shape[0]} and {logits.shape[1]} came")
        return self.output_class(
            loss=self.contrast(logits) if return_loss else None,
            logits_per_image=logits.T,
            logits_per_text=logits,
            text_embeds=text_embeds,
            image_embeds=image_embeds,
            text_model_output=text,
            vision_model_output=image,
        )


class TowerImageClassification(heads.ImageClassification):
    """On the vision tower of a configuration of two: the mean of its patches speaks."""

    base_model_prefix = "vision_model"

    def make_body(self, config: Any) -> PreTrainedModel:
        return self.body_class(config.vision_config)

    def build(self, config: Any) -> None:
        self.classifier = heads.image_classifier(config.vision_config.hidden_size, config.num_labels)

    def text_vector(self, out: ModelOutput) -> Tensor:
        first = int(self.base_model.has_class_token)
        return out.last_hidden_state[:, first:].mean(1)


class CLIPPreTrainedModel(CLIPImageWeights):
    config_class = CLIPConfig
    base_model_prefix = "clip"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, CLIPModel):
            module.logit_scale.fill_(self.config.logit_scale_init_value)
        elif isinstance(module, CLIPForImageClassification) and self.config.num_labels:
            size = self.config.vision_config.hidden_size
            fill(module.classifier, size**-0.5 * self.config.initializer_factor)


class CLIPOutput(ContrastiveOutput):
    pass


class CLIPModel(CLIPPreTrainedModel, ContrastiveModel):
    text_class, vision_class, output_class = CLIPTextModel, CLIPVisionModel, CLIPOutput

    def build(self, config: Any) -> None:
        self.visual_projection = nn.Linear(config.vision_config.hidden_size, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(config.text_config.hidden_size, config.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def project_text(self, x: Tensor) -> Tensor:
        return self.text_projection(x)

    def project_image(self, x: Tensor) -> Tensor:
        return self.visual_projection(x)

    def scale(self, nearness: Tensor) -> Tensor:
        return nearness * self.logit_scale.exp()

    def contrast(self, logits_per_text: Tensor) -> Tensor:
        """Each text finds its image among all, and each image its text."""
        right = torch.arange(len(logits_per_text), device=logits_per_text.device)
        return (F.cross_entropy(logits_per_text, right) + F.cross_entropy(logits_per_text.T, right)) / 2


class CLIPForImageClassification(CLIPPreTrainedModel, TowerImageClassification):
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    body_class = CLIPVisionModel
