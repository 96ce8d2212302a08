"""DETR (arXiv:2005.12872): a convolutional body, then a Transformer whose queries each find one object or none.

Published checkpoints name the body as the timm library does (`conv1`, `layer1.0.conv1`); newer ones hold a ResNet of
the family in resnet.py. Each is built under its own names, so either file loads as it is.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import merge_heads, split_heads
from ..nn.block import Block
from ..nn.context import Context, open_context
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At, RoleModule
from ..nn.stack import run_stack
from ..outputs import BaseModelOutput, ModelOutput, ObjectDetectionOutput, Seq2SeqModelOutput
from .parts.detection import detection_losses, weighted_sum
from .parts.timm_backbone import FrozenBatchNorm, TimmBackboneConfig, TimmResNet
from .resnet import ResNetBackbone, ResNetConfig, reset_batch_norm


def backbone_config(keys: dict[str, Any], **options: Any) -> Config:
    kind = keys.get("model_type", "resnet")
    if kind == "timm_backbone":
        return TimmBackboneConfig.from_dict(keys, **options)
    if kind == "resnet":
        return ResNetConfig.from_dict(keys or {"out_features": ["stage4"]}, **options)
    raise ValueError(f"model_type is {kind!r}, but a body is a 'resnet' or a 'timm_backbone': use another checkpoint")


class DetrConfig(Config):
    model_type = "detr"
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
        "initializer_range": "init_std",
    }
    # Left over from the text model that the first version was made from; layer drop is written down and never done.
    no_effect = Config.no_effect | {
        *("scale_embedding", "classifier_dropout", "max_position_embeddings", "encoder_layerdrop", "decoder_layerdrop"),
    }
    nested = {"backbone_config": backbone_config}
    older = ("use_timm_backbone", "backbone", "backbone_kwargs", "use_pretrained_backbone")  # now a backbone_config

    backbone_config: Config | None = None
    num_channels: int = 3
    num_queries: int = 100
    encoder_layers: int = 6
    encoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 8
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 8
    is_encoder_decoder: bool = True
    activation_function: str = "relu"
    d_model: int = 256
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    auxiliary_loss: bool = False
    position_embedding_type: str = "sine"
    dilation: bool = False
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    mask_loss_coefficient: float = 1
    dice_loss_coefficient: float = 1
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1

    def __init__(self, **keys: Any) -> None:
        old = {name: keys.pop(name, None) for name in self.older}
        extra = old["backbone_kwargs"] or {}
        if not isinstance(extra, dict):
            raise ValueError(f"config key 'backbone_kwargs' is {extra!r}; expected an object with keys")
        if keys.get("backbone_config") is None and old["use_timm_backbone"] in (True, None):
            more = {"num_channels": keys.get("num_channels", 3), **extra}
            more["num_channels"] = more.pop("in_chans", more["num_channels"])
            more.setdefault("output_stride", 16 if keys.get("dilation") else None)
            name = old["backbone"] or "resnet50"
            keys["backbone_config"] = {"model_type": "timm_backbone", "backbone": name, **more}
        super().__init__(**keys)

    def check(self) -> None:
        super().check()
        body: Any = self.backbone_config
        self.require("position_embedding_type", ("sine", "learned"), "these are the two kinds of positions")
        self.require("num_channels", (body.num_channels,), "that is what backbone_config says")
        if isinstance(body, ResNetConfig):
            self.require("dilation", (False, None), "only a timm_backbone is dilated")

    def to_dict(self) -> dict[str, Any]:
        """The body in keys that versions 4 and 5 read alike, if it is a usual one of timm or no body of timm."""
        keys, body = super().to_dict(), self.backbone_config
        if not isinstance(body, TimmBackboneConfig):
            return {**keys, "use_timm_backbone": False, "backbone": None, "use_pretrained_backbone": False}
        stride = 16 if self.dilation else None
        if body == TimmBackboneConfig(backbone=body.backbone, num_channels=self.num_channels, output_stride=stride):
            del keys["backbone_config"]
            keys.update(use_timm_backbone=True, backbone=body.backbone, use_pretrained_backbone=False)
        return keys


# --- the body --------------------------------------------------------------------------------------------------------


class FrozenBackbone(RoleModule):
    """The convolutional body, and how many channels its feature maps have."""

    body = At("conv_encoder.model")

    def __init__(self, config: Any) -> None:
        super().__init__()
        if isinstance(config, TimmBackboneConfig):
            self.body = TimmResNet(config)
            self.sizes = [self.body.sizes[i] for i in self.body.chosen]
            trained: Any = ("layer2.", "layer3.", "layer4.")
        else:
            self.body = ResNetBackbone(config, FrozenBatchNorm)
            sizes = [config.embedding_size, *config.hidden_sizes]
            self.sizes = [sizes[i] for i in config.out_indices]
            trained = None  # the incumbent looks for timm's names here too, so that all of this body stays as it is
        for name, parameter in self.body.named_parameters():
            parameter.requires_grad_(name.startswith(trained) if trained else False)

    def forward(self, pixel_values: Tensor) -> Any:
        maps = self.body(pixel_values)
        return maps.feature_maps if isinstance(maps, ModelOutput) else maps


# --- positions of a picture ------------------------------------------------------------------------------------------


class SinePositions(nn.Module):
    """Sines and cosines of the place in the real part of the picture: (batch, height, width) -> (batch, size, …)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size  # of each axis

    def forward(self, real: Tensor, dtype: torch.dtype) -> Tensor:
        index = torch.arange(self.size, device=real.device).to(dtype)
        wave = 10000 ** (2 * torch.div(index, 2, rounding_mode="floor") / self.size)
        axes = []
        for axis in (1, 2):
            place = real.to(dtype).cumsum(axis)
            place = place / (place.narrow(axis, -1, 1) + 1e-6) * 2 * math.pi
            angle = place[..., None] / wave
            axes.append(torch.stack((angle[..., 0::2].sin(), angle[..., 1::2].cos()), dim=-1).flatten(-2))
        return torch.cat(axes, dim=-1).permute(0, 3, 1, 2)


class LearnedPositions(nn.Module):
    """A vector for each row and each column, fifty of each."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.row_embeddings = nn.Embedding(50, size)
        self.column_embeddings = nn.Embedding(50, size)

    def forward(self, real: Tensor, dtype: torch.dtype) -> Tensor:
        rows, height, width = real.shape
        if max(height, width) > 50:
            raise ValueError(
                f"the feature map is {height} x {width}, but the model learned 50 places: use smaller images"
            )
        across = self.column_embeddings.weight[:width].expand(height, -1, -1)
        down = self.row_embeddings.weight[:height, None].expand(-1, width, -1)
        return torch.cat((across, down), dim=-1).permute(2, 0, 1).expand(rows, -1, -1, -1)


# --- the Transformer -------------------------------------------------------------------------------------------------


def attend(block: Block, roles: str, x: Tensor, to: Tensor, values: Tensor, mask: Any, weights_of: Any) -> Tensor:
    """Attention whose queries, keys and values come from three places; roles begin with "" or "cross_"."""
    q, k, v, o = (getattr(block, roles + role) for role in "qkvo")
    q, k, v = (split_heads(role(given), block.head_size) for role, given in ((q, x), (k, to), (v, values)))
    mixed, weights = block.mix(q, k, v, mask, explicit=weights_of is not None)
    if weights_of is not None:
        weights_of.append(weights)
    return o(merge_heads(mixed))


def placed_post_norm(block: Block, x: Tensor, context: Context) -> Tensor:
    """Norm after each sum; what looks and what is looked at know their places, what is read does not."""
    places, memory_places = context.relative
    placed = x + places
    x = block.norm_attn(x + block.dropout(attend(block, "", placed, placed, x, context.mask, context.attentions)))
    if context.memory is not None:
        there, mask = context.memory + memory_places, context.memory_mask
        read = attend(block, "cross_", x + places, there, context.memory, mask, context.cross_attentions)
        x = block.norm_cross(x + block.dropout(read))
    return block.norm_mlp(x + block.dropout(block.feed(x, context)))


class DetrBlock(Block):
    wiring = placed_post_norm
    q, k, v = At("self_attn.q_proj"), At("self_attn.k_proj"), At("self_attn.v_proj")
    o, norm_attn = At("self_attn.out_proj"), At("self_attn_layer_norm")
    up, down, norm_mlp = At("fc1"), At("fc2"), At("final_layer_norm")

    def __init__(self, config: Any, index: int, heads: int, inner_size: int) -> None:
        super().__init__(
            index=index,
            hidden_size=config.d_model,
            heads=heads,
            inner_size=inner_size,
            norm=partial(nn.LayerNorm, config.d_model),
            activation=config.activation_function,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            inner_dropout=config.activation_dropout,
            crosses="cross_q" in self.roles(),
        )


class DetrDecoderBlock(DetrBlock):
    cross_q, cross_k = At("encoder_attn.q_proj"), At("encoder_attn.k_proj")
    cross_v, cross_o = At("encoder_attn.v_proj"), At("encoder_attn.out_proj")
    norm_cross = At("encoder_attn_layer_norm")


class DetrPreTrainedModel(PreTrainedModel):
    config_class = DetrConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    renames = ((r"backbone\.position_embedding\.", "position_embedding."),)
    ignored_on_disk = (*PreTrainedModel.ignored_on_disk, r"backbone\..*num_batches_tracked$")

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, LearnedPositions):
            module.row_embeddings.weight.uniform_()
            module.column_embeddings.weight.uniform_()
        elif isinstance(module, FrozenBatchNorm):
            reset_batch_norm(module)
        elif isinstance(module, AttentionMaps):
            for linear in (module.q_linear, module.k_linear):
                nn.init.xavier_uniform_(linear.weight, gain=self.config.init_xavier_std)
        elif isinstance(module, MaskHead):
            for conv in module.children():
                if isinstance(conv, nn.Conv2d):
                    nn.init.kaiming_uniform_(conv.weight, a=1)


class DetrModelOutput(Seq2SeqModelOutput):
    intermediate_hidden_states: Tensor | None


class DetrModel(DetrPreTrainedModel):
    encoder_blocks, decoder_blocks = At("encoder.layers"), At("decoder.layers")
    norm = At("decoder.layernorm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.backbone = FrozenBackbone(config.backbone_config)
        positions = SinePositions if config.position_embedding_type == "sine" else LearnedPositions
        self.position_embedding = positions(config.d_model // 2)
        self.query_position_embeddings = nn.Embedding(config.num_queries, config.d_model)
        self.input_projection = nn.Conv2d(self.backbone.sizes[-1], config.d_model, kernel_size=1)
        self.encoder_blocks = nn.ModuleList(
            DetrBlock(config, i, config.encoder_attention_heads, config.encoder_ffn_dim)
            for i in range(config.encoder_layers)
        )
        self.decoder_blocks = nn.ModuleList(
            DetrDecoderBlock(config, i, config.decoder_attention_heads, config.decoder_ffn_dim)
            for i in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def freeze_backbone(self) -> None:
        """Keep the convolutional body as it is while the rest trains."""
        self.backbone.requires_grad_(False)

    def unfreeze_backbone(self) -> None:
        self.backbone.requires_grad_(True)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DetrModelOutput:
        """last_hidden_state (batch, queries, hidden): what each query found.

        pixel_values (batch, channels, height, width), pixel_mask (batch, height, width) with 1 at real pixels; or
        inputs_embeds (batch, places, hidden) of a square feature map in their place.
        """
        if inputs_embeds is None:
            _, features, real = self.see(pixel_values, pixel_mask)
        else:
            side = math.isqrt(inputs_embeds.shape[1])
            if side * side != inputs_embeds.shape[1]:
                raise ValueError(f"inputs_embeds has {inputs_embeds.shape[1]} places; expected those of a square map")
            features = inputs_embeds.transpose(1, 2).unflatten(2, (side, side))
            real = torch.ones(len(features), side, side, device=features.device, dtype=torch.bool)
            real = real if pixel_mask is None else shrunk(pixel_mask, (side, side))
        return self.find(
            features,
            real,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            queries=decoder_inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )

    def see(self, pixel_values: Any, pixel_mask: Tensor | None) -> tuple[list[Tensor], Tensor, Tensor]:
        """The body's feature maps; the last of them in the model's size; where it is real, (batch, height, width)."""
        maps = self.backbone(pixel_values)
        rows, _, height, width = pixel_values.shape
        if pixel_mask is None:
            pixel_mask = torch.ones(rows, height, width, device=pixel_values.device)
        if tuple(pixel_mask.shape) != (rows, height, width):
            raise ValueError(f"pixel_mask has shape {tuple(pixel_mask.shape)}; expected {(rows, height, width)}")
        return maps, self.input_projection(maps[-1]), shrunk(pixel_mask, maps[-1].shape[-2:])

    def find(
        self,
        features: Tensor,
        real: Tensor,
        *,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        queries: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DetrModelOutput:
        """The Transformer over features (batch, hidden, height, width)."""
        x = features.flatten(2).transpose(1, 2)
        places = self.position_embedding(real, x.dtype).flatten(2).transpose(1, 2)
        open_ = partial(
            open_context,
            self.config,
            causal=False,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        mask = real.flatten(1)
        if encoder_outputs is None:
            context = open_(x, attention_mask=mask)
            context.relative = (places, None)
            x = run_stack(self.encoder_blocks, self.dropout(x), context, recompute=self.recomputes)
            context.see(x)
            encoder_outputs = BaseModelOutput(last_hidden_state=x, **context.collected())
        memory = encoder_outputs[0]
        asked = self.query_position_embeddings.weight.expand(len(memory), -1, -1)
        y = torch.zeros_like(asked) if queries is None else queries
        context = open_(y, attention_mask=decoder_attention_mask, memory=memory, memory_mask=mask)
        context.relative = (asked, places)
        y, steps = self.decode(y, context)
        context.see(y)
        seen = context.collected()
        return DetrModelOutput(
            last_hidden_state=y,
            decoder_hidden_states=seen.get("hidden_states"),
            decoder_attentions=seen.get("attentions"),
            cross_attentions=seen.get("cross_attentions"),
            encoder_last_hidden_state=memory,
            encoder_hidden_states=getattr(encoder_outputs, "hidden_states", None),
            encoder_attentions=getattr(encoder_outputs, "attentions", None),
            intermediate_hidden_states=steps,
        )

    def decode(self, y: Tensor, context: Context) -> tuple[Tensor, Tensor | None]:
        """The queries after the last block; with auxiliary_loss also after each, (layers, batch, queries, hidden).

        With it every block reads what the final norm made of the one before it, as checkpoints trained so expect.
        """
        if not self.config.auxiliary_loss:
            return self.norm(run_stack(self.decoder_blocks, y, context, recompute=self.recomputes)), None
        wanted, context.hidden_states = context.hidden_states is not None, []
        blocks = [*self.decoder_blocks[:1], *(partial(self.after_norm, block) for block in self.decoder_blocks[1:])]
        y = run_stack(blocks, y, context, recompute=self.recomputes)
        steps = torch.stack([self.norm(each) for each in (*context.hidden_states[1:], y)])
        context.hidden_states = context.hidden_states if wanted else None
        return self.norm(steps[-1]), steps

    def after_norm(self, block: Block, x: Tensor, context: Context) -> Tensor:
        return block(self.norm(x), context)


def shrunk(pixel_mask: Tensor, size: Any) -> Tensor:
    """A mask of pixels as one of a smaller feature map."""
    return F.interpolate(pixel_mask[None].float(), size=tuple(size)).bool()[0]


# --- heads -----------------------------------------------------------------------------------------------------------


class BoxHead(nn.Module):
    """Three layers with ReLU between."""

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, out)])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[2](F.relu(self.layers[1](F.relu(self.layers[0](x)))))


class DetrObjectDetectionOutput(ObjectDetectionOutput):
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None


class DetrForObjectDetection(DetrPreTrainedModel, heads.HeadModel):
    """A class and a box for every query; the class beyond the last label means that there is nothing."""

    body_class = DetrModel

    def build(self, config: Any) -> None:
        self.class_labels_classifier = nn.Linear(config.d_model, config.num_labels + 1)
        self.bbox_predictor = BoxHead(config.d_model, 4)

    def forward(
        self, pixel_values: Tensor | None = None, *args: Any, labels: Any = None, **inputs: Any
    ) -> DetrObjectDetectionOutput:
        """logits (batch, queries, labels + 1) and pred_boxes (batch, queries, 4): center x, y, width, height, each a
        share of the picture. labels: for each picture {"class_labels": (objects,), "boxes": (objects, 4)}."""
        out = self.run_body(pixel_values, *args, **inputs)
        return DetrObjectDetectionOutput(**self.detect(out, labels), **found_by(out))

    def detect(self, out: Any, labels: Any, masks: Tensor | None = None) -> dict[str, Any]:
        """The fields of an output that speak of objects."""
        boxes = self.bbox_predictor(out.last_hidden_state).sigmoid()
        found = {"logits": self.class_labels_classifier(out.last_hidden_state), "pred_boxes": boxes}
        if labels is None:
            return found
        earlier = [] if out.intermediate_hidden_states is None else list(out.intermediate_hidden_states[:-1])
        before = [
            {"logits": self.class_labels_classifier(x), "pred_boxes": self.bbox_predictor(x).sigmoid()} for x in earlier
        ]
        losses = detection_losses(found, labels, self.config, masks)
        for i, step in enumerate(before):
            losses.update({f"{name}_{i}": loss for name, loss in detection_losses(step, labels, self.config).items()})
        aside = before if self.config.auxiliary_loss else None
        loss = weighted_sum(losses, self.config)
        return {"loss": loss, "loss_dict": losses, **found, "auxiliary_outputs": aside}


def found_by(out: DetrModelOutput) -> dict[str, Any]:
    return {name: value for name, value in out.items() if name != "intermediate_hidden_states"}


class AttentionMaps(nn.Module):
    """Where each query looks, by each head: (batch, queries, heads, height, width), summing to 1 over all heads."""

    def __init__(self, size: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.q_linear, self.k_linear = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, x: Tensor, features: Tensor, real: Tensor) -> Tensor:
        q = self.q_linear(x).unflatten(-1, (self.count, -1))
        k = F.conv2d(features, self.k_linear.weight[..., None, None], self.k_linear.bias)
        k = k.unflatten(1, (self.count, -1))
        scores = torch.einsum("bqnc,bnchw->bqnhw", q * q.shape[-1] ** -0.5, k)
        scores = scores.masked_fill(~real[:, None, None], torch.finfo(scores.dtype).min)
        return scores.flatten(2).softmax(-1).view_as(scores)


class MaskHead(nn.Module):
    """From maps of attention to masks, larger at each step with the help of the body's earlier feature maps."""

    def __init__(self, size: int, count: int, maps: list[int], activation: str) -> None:
        super().__init__()
        if (size + count) % 8:
            raise ValueError(f"d_model {size} and encoder_attention_heads {count} of the config must add up to eights")
        sizes = [size + count, size + count, *(size // 2**i for i in range(1, 5))]
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes), 1):
            self.add_module(f"lay{i}", nn.Conv2d(fan_in, fan_out, 3, padding=1))
            self.add_module(f"gn{i}", nn.GroupNorm(min(8, fan_out), fan_out))
        self.out_lay = nn.Conv2d(sizes[-1], 1, 3, padding=1)
        for i, fan_in in enumerate(maps, 1):
            self.add_module(f"adapter{i}", nn.Conv2d(fan_in, sizes[i + 1], 1))
        self.activation = activation_function(activation)

    def step(self, i: int, x: Tensor) -> Tensor:
        return self.activation(getattr(self, f"gn{i}")(getattr(self, f"lay{i}")(x)))

    def forward(self, features: Tensor, attention: Tensor, maps: list[Tensor]) -> Tensor:
        """(batch, queries, height, width) of features (batch, size, …), attention (batch, queries, heads, …)."""
        rows, queries = attention.shape[:2]

        def for_each_query(x: Tensor) -> Tensor:
            return x[:, None].expand(-1, queries, -1, -1, -1).flatten(0, 1)

        x = torch.cat((for_each_query(features), attention.flatten(0, 1)), dim=1)
        x = self.step(2, self.step(1, x))
        for i, each in enumerate(maps, 1):
            near = for_each_query(getattr(self, f"adapter{i}")(each))
            x = self.step(i + 2, near + F.interpolate(x, size=near.shape[-2:]))
        return self.out_lay(x).view(rows, queries, *x.shape[-2:])


class DetrSegmentationOutput(ModelOutput):
    loss: Tensor | None
    loss_dict: dict[str, Tensor] | None
    logits: Tensor
    pred_boxes: Tensor
    pred_masks: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None
    last_hidden_state: Tensor
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None


class DetrForSegmentation(DetrPreTrainedModel):
    """A mask for every query besides its class and box. A checkpoint of DetrForObjectDetection is a good start."""

    base_model_prefix = "detr"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.detr = DetrForObjectDetection(config)
        sizes = self.detr.model.backbone.sizes
        if len(sizes) < 4:
            raise ValueError(
                f"segmentation reads four feature maps of the body, backbone_config names {len(sizes)}: set its "
                "out_features to all four stages"
            )
        count = config.encoder_attention_heads
        self.mask_head = MaskHead(config.d_model, count, sizes[-4:-1][::-1], config.activation_function)
        self.bbox_attention = AttentionMaps(config.d_model, count)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DetrSegmentationOutput:
        """pred_masks (batch, queries, height, width), scores before the sigmoid, a quarter of the pictures' size;
        the rest as DetrForObjectDetection. labels hold "masks" too: (objects, height, width) for each picture."""
        body = self.detr.model
        maps, features, real = body.see(pixel_values, pixel_mask)
        out = body.find(
            features,
            real,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            queries=decoder_inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        memory = out.encoder_last_hidden_state.transpose(1, 2).unflatten(2, features.shape[-2:])
        attention = self.bbox_attention(out.last_hidden_state, memory, real)
        masks = self.mask_head(features, attention, maps[-4:-1][::-1])
        return DetrSegmentationOutput(**self.detr.detect(out, labels, masks), pred_masks=masks, **found_by(out))
