"""The body that speech families share: convolutions over the raw waveform, then a Transformer over frames."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...nn.block import Block
from ...nn.context import Context, open_context
from ...nn.pretrained import PreTrainedModel
from ...nn.roles import At
from ...nn.stack import run_stack
from ...nn.wiring import post_norm, pre_norm
from .speech import (
    FeatureEncoder,
    FeatureProjection,
    PositionalConv,
    SoundConfig,
    conv_length,
    frame_mask,
    spec_augment,
)


class SpeechConfig(SoundConfig):
    """What the configurations of models with such a body have in common."""

    # What the first training code wrote down, and no version of the model has read.
    no_effect = (
        SoundConfig.no_effect
        | {"num_feat_extract_layers", "feat_extract_dropout", "hidden_dropout_prob"}
        | {f"mask_{axis}_{key}" for axis in ("channel", "time") for key in ("min_space", "other", "selection")}
        | {"mask_channel_length", "mask_channel_prob", "freeze_feat_extract_train"}
        | {f"no_mask_{axis}_overlap" for axis in ("channel", "time")}
    )

    vocab_size: int = 32
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout: float = 0.1
    activation_dropout: float = 0.1
    attention_dropout: float = 0.1
    feat_proj_dropout: float = 0.0
    final_dropout: float = 0.1
    layerdrop: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    feat_extract_norm: str = "group"
    feat_extract_activation: str = "gelu"
    conv_dim: list[int] | tuple[int, ...] = (512, 512, 512, 512, 512, 512, 512)
    conv_stride: list[int] | tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_kernel: list[int] | tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_bias: bool = False
    num_conv_pos_embeddings: int = 128
    num_conv_pos_embedding_groups: int = 16
    do_stable_layer_norm: bool = False
    ctc_loss_reduction: str = "sum"
    ctc_zero_infinity: bool = False
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        self.require("feat_extract_norm", ("group", "layer"), "see the family's paper")
        if self.hidden_size % self.num_conv_pos_embedding_groups:
            raise ValueError(
                f"the config's hidden_size {self.hidden_size} is not a multiple of num_conv_pos_embedding_groups "
                f"{self.num_conv_pos_embedding_groups}"
            )
        if not len(self.conv_dim) == len(self.conv_stride) == len(self.conv_kernel):
            raise ValueError(
                "the config's conv_dim, conv_stride and conv_kernel say one thing for each convolution, but have "
                f"{len(self.conv_dim)}, {len(self.conv_stride)} and {len(self.conv_kernel)} entries"
            )

    @property
    def inputs_to_logits_ratio(self) -> int:
        """Samples of the waveform for each frame."""
        return math.prod(self.conv_stride)


class SpeechBlock(Block):
    wiring = post_norm
    q, k = At("attention.q_proj"), At("attention.k_proj")
    v, o = At("attention.v_proj"), At("attention.out_proj")
    norm_attn = At("layer_norm")
    up, down = At("feed_forward.intermediate_dense"), At("feed_forward.output_dense")
    norm_mlp = At("final_layer_norm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            index=index,
            hidden_size=config.hidden_size,
            heads=config.num_attention_heads,
            inner_size=config.intermediate_size,
            norm=partial(nn.LayerNorm, config.hidden_size, eps=config.layer_norm_eps),
            activation=config.hidden_act,
            dropout=config.hidden_dropout,
            attention_dropout=config.attention_dropout,
            inner_dropout=config.activation_dropout,
        )


class StableSpeechBlock(SpeechBlock):
    wiring = pre_norm


class SpeechModel(PreTrainedModel):
    """The base of models that read a waveform through a stem of convolutions."""

    main_input_name = "input_values"
    renames = (
        (r"pos_conv_embed\.conv\.weight_g$", "pos_conv_embed.conv.parametrizations.weight.original0"),
        (r"pos_conv_embed\.conv\.weight_v$", "pos_conv_embed.conv.parametrizations.weight.original1"),
    )

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, PositionalConv) and not module.direction.is_meta:
            module.direction.normal_(0.0, 2 * math.sqrt(1 / (module.width * self.config.hidden_size)))
            module.length.copy_(module.direction.norm(dim=(0, 1), keepdim=True))
            module.bias.zero_()
        elif isinstance(module, SpeechBody) and module.masked_spec_embed is not None:
            module.masked_spec_embed.uniform_()

    @property
    def frame_size(self) -> int:
        """The size of the frames that the body gives."""
        return self.config.hidden_size

    def stem_frames(self, samples: Tensor) -> Tensor:
        """How many frames the stem makes of so many samples."""
        return conv_length(samples, self.config.conv_kernel, self.config.conv_stride)

    def frames_of(self, samples: Tensor) -> Tensor:
        """How many frames the body gives for so many samples."""
        return self.stem_frames(samples)

    def _get_feat_extract_output_lengths(self, input_lengths: Tensor) -> Tensor:
        """frames_of, as training scripts call it; a whole number does too."""
        return self.frames_of(torch.as_tensor(input_lengths))

    def real_frames(self, frames: int, attention_mask: Tensor | None) -> Tensor | None:
        """(batch, frames), True where the samples of attention_mask (batch, samples) are real."""
        return None if attention_mask is None else frame_mask(frames, self.stem_frames(attention_mask.sum(-1)))

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions of the stem as they are while the rest trains."""
        self.base_model.feature_extractor.requires_grad_(False)

    freeze_feature_extractor = freeze_feature_encoder  # its name until 2022

    def freeze_base_model(self) -> None:
        """Train the head only."""
        self.base_model.requires_grad_(False)


class SpeechBody(SpeechModel):
    """The stem, a projection, positions, and a stack. A family adds what it has besides, and ends with post_init."""

    blocks = At("encoder.layers")
    positions = At("encoder.pos_conv_embed")
    norm = At("encoder.layer_norm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.feature_extractor = FeatureEncoder(config)
        self.feature_projection = FeatureProjection(config)
        masks = config.mask_time_prob > 0 or config.mask_feature_prob > 0
        self.masked_spec_embed = nn.Parameter(torch.empty(config.hidden_size)) if masks else None
        self.positions = self.make_positions(config)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        kind = StableSpeechBlock if config.do_stable_layer_norm else SpeechBlock
        self.blocks = nn.ModuleList(kind(config, i) for i in range(config.num_hidden_layers))
        self.dropout = nn.Dropout(config.hidden_dropout)

    def make_positions(self, config: Any) -> nn.Module:
        return PositionalConv(config)

    def encode(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> tuple[Tensor, Tensor, Context]:
        """From input_values (batch, samples), 16,000 a second, to the last block's frames (batch, frames, hidden).

        attention_mask (batch, samples), 1 at real samples; mask_time_indices (batch, frames), True at frames to hide.
        Also gives the stem's features (batch, frames, channels), and the context of the pass.
        """
        if input_values.dim() != 2:
            raise ValueError(f"input_values has shape {tuple(input_values.shape)}; expected (batch, samples)")
        if not input_values.is_floating_point():
            raise ValueError(
                f"input_values holds numbers of {input_values.dtype}; expected a waveform of floats, as the "
                "feature extractor makes it"
            )
        if attention_mask is not None and attention_mask.shape != input_values.shape:
            raise ValueError(
                f"attention_mask has shape {tuple(attention_mask.shape)}, input_values {tuple(input_values.shape)}: "
                "one number for each sample"
            )
        least = int(self.stem_frames(torch.tensor(input_values.shape[1])))
        if least < 1:
            raise ValueError(f"input_values holds {input_values.shape[1]} samples, too few for a single frame")
        x, features = self.feature_projection(self.feature_extractor(input_values))
        real = self.real_frames(x.shape[1], attention_mask)
        if self.masked_spec_embed is not None:
            x = spec_augment(
                x,
                self.config,
                training=self.training,
                instead=self.masked_spec_embed,
                chosen=mask_time_indices,
                real=real,
            )
        context = open_context(
            self.config,
            x,
            causal=False,
            attention_mask=real,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        if real is not None:
            x = x * real[..., None]
        x = x + self.positions(x)
        stable = self.config.do_stable_layer_norm
        x = self.dropout(x if stable else self.norm(x))
        skip = self.config.layerdrop if self.training else 0.0
        x = run_stack(self.blocks, x, context, recompute=self.recomputes, skip=skip)
        context.see(x)
        return self.norm(x) if stable else x, features, context
