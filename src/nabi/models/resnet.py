"""ResNet (arXiv:1512.03385): convolutions in four stages, each layer adding to what it was given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
    ModelOutput,
)
from .parts import images


class StagedConfig(Config):
    """A body in stages, of which another model may read some: `out_features` by name, `out_indices` by number."""

    num_channels: int = 3
    hidden_sizes: list[int] | tuple[int, ...] = (256, 512, 1024, 2048)
    depths: list[int] | tuple[int, ...] = (3, 4, 6, 3)
    out_features: list[str] | tuple[str, ...] | None = None
    out_indices: list[int] | tuple[int, ...] | None = None
    stage_names: list[str] | None = None

    def check(self) -> None:
        super().check()
        if len(self.hidden_sizes) != len(self.depths):
            raise ValueError(
                "the config's hidden_sizes and depths say one thing for each stage, but have "
                f"{len(self.hidden_sizes)} and {len(self.depths)} entries"
            )
        names = ["stem", *(f"stage{i + 1}" for i in range(len(self.depths)))]
        if self.stage_names not in (None, names):
            raise ValueError(f"config key 'stage_names' is {self.stage_names!r}; with these depths it is {names}")
        self.stage_names = names
        if not all(-len(names) <= i < len(names) for i in self.out_indices or ()):
            raise ValueError(
                f"config key 'out_indices' is {self.out_indices!r}; expected places in {names}, 0 to {len(names) - 1}"
            )
        if self.out_features is None:
            chosen = [len(names) - 1] if self.out_indices is None else [i % len(names) for i in self.out_indices]
            self.out_features = [names[i] for i in chosen]
        wrong = [name for name in self.out_features if name not in names]
        if wrong or [name for name in names if name in self.out_features] != list(self.out_features):
            raise ValueError(f"config key 'out_features' is {self.out_features!r}; expected some of {names} in order")
        places = [names.index(name) for name in self.out_features]
        if self.out_indices is not None and [i % len(names) for i in self.out_indices] != places:
            raise ValueError(
                f"config key 'out_indices' is {self.out_indices!r}; of these 'out_features' it is {places}"
            )
        self.out_indices = places


class ResNetConfig(StagedConfig):
    model_type = "resnet"

    embedding_size: int = 64
    layer_type: str = "bottleneck"
    hidden_act: str = "relu"
    downsample_in_first_stage: bool = False
    downsample_in_bottleneck: bool = False

    def check(self) -> None:
        super().check()
        self.require("layer_type", ("basic", "bottleneck"), "these are the two kinds of layers")


class NormedConv(nn.Module):
    """Convolution, batch norm, and an activation where one is named."""

    def __init__(
        self, fan_in: int, fan_out: int, width: int, stride: int, norm: Callable[[int], nn.Module], act: str = "linear"
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(fan_in, fan_out, width, stride, padding=width // 2, bias=False)
        self.normalization = norm(fan_out)
        self.activation = activation_function(act)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.normalization(self.convolution(x)))


class ResNetBlock(nn.Module):
    """Two convolutions of width 3 (basic), or one of them on a quarter of the channels (bottleneck)."""

    def __init__(self, config: Any, fan_in: int, fan_out: int, stride: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        if config.layer_type == "basic":
            layers = [
                NormedConv(fan_in, fan_out, 3, stride, norm, "relu"),
                NormedConv(fan_out, fan_out, 3, 1, norm),
            ]
        else:
            inside = fan_out // 4
            first, second = (stride, 1) if config.downsample_in_bottleneck else (1, stride)
            layers = [
                NormedConv(fan_in, inside, 1, first, norm, "relu"),
                NormedConv(inside, inside, 3, second, norm, "relu"),
                NormedConv(inside, fan_out, 1, 1, norm),
            ]
        same = fan_in == fan_out and stride == 1
        self.shortcut = nn.Identity() if same else NormedConv(fan_in, fan_out, 1, stride, norm)
        self.layer = nn.Sequential(*layers)
        self.activation = activation_function(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.layer(x) + self.shortcut(x))


class Stage(nn.Module):
    """Layers, after a downsampling where there is one."""

    def __init__(self, layers: Iterable[nn.Module], before: Iterable[nn.Module] = ()) -> None:
        super().__init__()
        self.downsampling_layer = nn.ModuleList(before)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (*self.downsampling_layer, *self.layers):
            x = layer(x)
        return x


class StagedModel(PreTrainedModel):
    """Pixels -> stem -> stages. There is no attention, so output_attentions is taken and gives none."""

    main_input_name = "pixel_values"
    stages = At("encoder.stages")

    def stem(self, pixel_values: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} has no stem")

    def run_stages(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """(batch, channels, height, width) of the stem and of every stage."""
        maps = [self.stem(pixel_values)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return tuple(maps)

    def pool(self, x: Tensor) -> Tensor:
        """One vector for an image."""
        return x.mean((-2, -1), keepdim=True)

    def forward(
        self, pixel_values: Tensor, output_hidden_states: bool | None = None, output_attentions: bool | None = None
    ) -> Any:
        """last_hidden_state (batch, channels, height, width) and pooler_output of pixel_values (batch, channels,
        height, width); hidden_states of the stem and the stages."""
        maps = self.run_stages(pixel_values)
        return BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=maps[-1],
            pooler_output=self.pool(maps[-1]),
            hidden_states=maps if self.wants_maps(output_hidden_states) else None,
        )

    def wants_maps(self, asked: bool | None) -> bool:
        return self.config.output_hidden_states if asked is None else asked


class Backbone(StagedModel):
    """The stages that config.out_features names, for another model to read."""

    def finish_map(self, name: str, x: Tensor) -> Tensor:
        return x

    def forward(
        self, pixel_values: Tensor, output_hidden_states: bool | None = None, output_attentions: bool | None = None
    ) -> BackboneOutput:
        """feature_maps, (batch, channels, height, width) of each stage in config.out_features."""
        maps = self.run_stages(pixel_values)
        chosen = zip(self.config.out_features, self.config.out_indices, strict=True)
        return BackboneOutput(
            feature_maps=tuple(self.finish_map(name, maps[i]) for name, i in chosen),
            hidden_states=maps if self.wants_maps(output_hidden_states) else None,
        )


class ResNetPreTrainedModel(PreTrainedModel):
    config_class = ResNetConfig
    base_model_prefix = "resnet"
    main_input_name = "pixel_values"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            module.weight.uniform_(-bound, bound)
            module.bias.uniform_(-bound, bound)
        elif hasattr(module, "running_var"):
            reset_batch_norm(module)


def reset_batch_norm(norm: Any) -> None:
    for name in ("weight", "running_var"):
        getattr(norm, name).fill_(1.0)
    for name in ("bias", "running_mean"):
        getattr(norm, name).zero_()


class StagedResNet(ResNetPreTrainedModel, StagedModel):
    first = At("embedder.embedder")

    def __init__(self, config: Any, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__(config)
        self.first = NormedConv(config.num_channels, config.embedding_size, 7, 2, norm, config.hidden_act)
        self.stages = nn.ModuleList()
        size = config.embedding_size
        for i, (width, depth) in enumerate(zip(config.hidden_sizes, config.depths, strict=True)):
            stride = 2 if i or config.downsample_in_first_stage else 1
            layers = [ResNetBlock(config, size, width, stride, norm)]
            layers += [ResNetBlock(config, width, width, 1, norm) for _ in range(depth - 1)]
            self.stages.append(Stage(layers))
            size = width
        self.post_init()

    def stem(self, pixel_values: Tensor) -> Tensor:
        x = self.first(images.check_pixels(pixel_values, self.first.convolution.weight))
        return F.max_pool2d(x, kernel_size=3, stride=2, padding=1)


class ResNetModel(StagedResNet):
    pass


class ResNetBackbone(Backbone, StagedResNet):
    pass


class ResNetForImageClassification(ResNetPreTrainedModel, heads.ImageClassification):
    body_class = ResNetModel
    output_class = ImageClassifierOutputWithNoAttention

    def build(self, config: Any) -> None:
        labels = heads.image_classifier(config.hidden_sizes[-1], config.num_labels)
        self.classifier = nn.Sequential(nn.Flatten(), labels)

    def text_vector(self, out: ModelOutput) -> Tensor:
        return out.pooler_output
