"""ConvNeXt (arXiv:2201.03545): a ResNet brought up to date: depthwise convolutions, layer norm, fewer of each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..nn import heads
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import ImageClassifierOutputWithNoAttention, ModelOutput
from .parts import images
from .resnet import Backbone, Stage, StagedConfig, StagedModel


class ConvNextConfig(StagedConfig):
    model_type = "convnext"
    aliases = {"num_hidden_layers": "num_stages"}
    no_effect = StagedConfig.no_effect | {"image_size"}  # convolutions take any

    patch_size: int | list[int] = 4
    num_stages: int = 4
    hidden_sizes: list[int] | tuple[int, ...] = (96, 192, 384, 768)
    depths: list[int] | tuple[int, ...] = (3, 3, 9, 3)
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    layer_scale_init_value: float = 1e-6
    drop_path_rate: float = 0.0

    def check(self) -> None:
        super().check()
        self.require("num_stages", (len(self.depths),), "depths says how many there are")


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (batch, channels, height, width)."""

    def __init__(self, size: int, eps: float = 1e-6) -> None:
        super().__init__(size, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class DropPath(nn.Module):
    """In training, leave a layer out for some images of the batch (arXiv:1603.09382)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        kept = torch.floor(torch.rand(len(x), 1, 1, 1, dtype=x.dtype, device=x.device) + 1 - self.share)
        return x / (1 - self.share) * kept


class ConvNextBlock(nn.Module):
    def __init__(self, config: Any, size: int, drop_path: float) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(size, size, kernel_size=7, padding=3, groups=size)
        self.layernorm = nn.LayerNorm(size, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.activation = activation_function(config.hidden_act)
        scales = config.layer_scale_init_value > 0
        self.layer_scale_parameter = nn.Parameter(torch.ones(size)) if scales else None
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.layernorm(self.dwconv(x).movedim(1, -1))
        inside = self.pwconv2(self.activation(self.pwconv1(inside)))
        if self.layer_scale_parameter is not None:
            inside = self.layer_scale_parameter * inside
        return x + self.drop_path(inside.movedim(-1, 1))


class ConvNextPreTrainedModel(PreTrainedModel):
    config_class = ConvNextConfig
    base_model_prefix = "convnext"
    main_input_name = "pixel_values"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, ConvNextBlock) and module.layer_scale_parameter is not None:
            module.layer_scale_parameter.fill_(self.config.layer_scale_init_value)


class StagedConvNext(ConvNextPreTrainedModel, StagedModel):
    patches, norm_patches = At("embeddings.patch_embeddings"), At("embeddings.layernorm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        patch, size = images.two(config.patch_size), config.hidden_sizes[0]
        self.patches = nn.Conv2d(config.num_channels, size, kernel_size=patch, stride=patch)
        self.norm_patches = ChannelNorm(size)
        self.stages = nn.ModuleList()
        rates = iter(torch.linspace(0, config.drop_path_rate, sum(config.depths), device="cpu").tolist())
        for i, (width, depth) in enumerate(zip(config.hidden_sizes, config.depths, strict=True)):
            halves = [ChannelNorm(size), nn.Conv2d(size, width, kernel_size=2, stride=2)] if i else []
            self.stages.append(Stage([ConvNextBlock(config, width, next(rates)) for _ in range(depth)], halves))
            size = width
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """What stands after the stages."""

    def stem(self, pixel_values: Tensor) -> Tensor:
        pixels = images.check_pixels(pixel_values, self.patches.weight)
        least = tuple(edge * 2 ** (len(self.stages) - 1) for edge in images.two(self.config.patch_size))
        if pixels.shape[-2] < least[0] or pixels.shape[-1] < least[1]:
            height, width = pixels.shape[-2:]
            raise ValueError(
                f"the images are {height} x {width} pixels; of fewer than {least[0]} x {least[1]} nothing is left "
                "after the stages: make them larger"
            )
        return self.norm_patches(self.patches(pixels))


class ConvNextModel(StagedConvNext):
    def build(self, config: Any) -> None:
        self.layernorm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)

    def pool(self, x: Tensor) -> Tensor:
        return self.layernorm(x.mean((-2, -1)))


class ConvNextBackbone(Backbone, StagedConvNext):
    def build(self, config: Any) -> None:
        sizes = [config.hidden_sizes[0], *config.hidden_sizes]
        chosen = zip(config.out_features, config.out_indices, strict=True)
        self.hidden_states_norms = nn.ModuleDict({name: ChannelNorm(sizes[i]) for name, i in chosen})

    def finish_map(self, name: str, x: Tensor) -> Tensor:
        return self.hidden_states_norms[name](x)


class ConvNextForImageClassification(ConvNextPreTrainedModel, heads.ImageClassification):
    body_class = ConvNextModel
    output_class = ImageClassifierOutputWithNoAttention

    def build(self, config: Any) -> None:
        self.classifier = heads.image_classifier(config.hidden_sizes[-1], config.num_labels)

    def text_vector(self, out: ModelOutput) -> Tensor:
        return out.pooler_output
