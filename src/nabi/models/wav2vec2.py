"""Wav2Vec2 (arXiv:2006.11477): convolutions over the raw waveform, then a Transformer over frames."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn.block import Block
from ..nn.context import open_context
from ..nn.heads import HeadModel
from ..nn.losses import cross_entropy
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..nn.wiring import post_norm, pre_norm
from ..outputs import ModelOutput, TokenClassifierOutput
from .parts import speech, speech_heads
from .parts.codebook import GumbelQuantizer, contrastive_loss
from .parts.speakers import AMSoftmaxLoss, TimeDelayLayer, statistics_over_time


class Wav2Vec2Config(Config):
    model_type = "wav2vec2"
    # What the first training code wrote down, and no version of the model has read.
    no_effect = (
        Config.no_effect
        | {"num_feat_extract_layers", "feat_extract_dropout", "hidden_dropout_prob"}
        | {f"mask_{axis}_{key}" for axis in ("channel", "time") for key in ("min_space", "other", "selection")}
        | {"mask_channel_length", "mask_channel_prob"}
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
    feat_quantizer_dropout: float = 0.0
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
    apply_spec_augment: bool = True
    mask_time_prob: float = 0.05
    mask_time_length: int = 10
    mask_time_min_masks: int = 2
    mask_feature_prob: float = 0.0
    mask_feature_length: int = 10
    mask_feature_min_masks: int = 0
    num_codevectors_per_group: int = 320
    num_codevector_groups: int = 2
    contrastive_logits_temperature: float = 0.1
    num_negatives: int = 100
    codevector_dim: int = 256
    proj_codevector_dim: int = 256
    diversity_loss_weight: float = 0.1
    ctc_loss_reduction: str = "sum"
    ctc_zero_infinity: bool = False
    use_weighted_layer_sum: bool = False
    classifier_proj_size: int = 256
    tdnn_dim: list[int] | tuple[int, ...] = (512, 512, 512, 512, 1500)
    tdnn_kernel: list[int] | tuple[int, ...] = (5, 3, 3, 1, 1)
    tdnn_dilation: list[int] | tuple[int, ...] = (1, 2, 3, 1, 1)
    xvector_output_dim: int = 512
    add_adapter: bool = False
    adapter_kernel_size: int = 3
    adapter_stride: int = 2
    num_adapter_layers: int = 3
    output_hidden_size: int | None = None
    adapter_attn_dim: int | None = None
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        self.require("adapter_attn_dim", (None,), "adapters inside the attention blocks (MMS) are not there yet")
        self.require("feat_extract_norm", ("group", "layer"), "see the family's paper")
        if not len(self.conv_dim) == len(self.conv_stride) == len(self.conv_kernel):
            raise ValueError(
                "the config's conv_dim, conv_stride and conv_kernel say one thing for each convolution, but have "
                f"{len(self.conv_dim)}, {len(self.conv_stride)} and {len(self.conv_kernel)} entries"
            )
        if self.output_hidden_size is None:
            self.output_hidden_size = self.hidden_size

    @property
    def inputs_to_logits_ratio(self) -> int:
        """Samples of the waveform for each frame."""
        return math.prod(self.conv_stride)


class Wav2Vec2Block(Block):
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


class Wav2Vec2StableBlock(Wav2Vec2Block):
    wiring = pre_norm


class Wav2Vec2PreTrainedModel(speech_heads.SpeechModel):
    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"
    renames = (
        (r"pos_conv_embed\.conv\.weight_g$", "pos_conv_embed.conv.parametrizations.weight.original0"),
        (r"pos_conv_embed\.conv\.weight_v$", "pos_conv_embed.conv.parametrizations.weight.original1"),
    )

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, speech.PositionalConv) and not module.direction.is_meta:
            std = 2 * math.sqrt(1 / (module.width * self.config.hidden_size))
            module.direction.normal_(0.0, std)
            module.length.copy_(module.direction.norm(dim=(0, 1), keepdim=True))
            module.bias.zero_()
        elif isinstance(module, speech.FeatureProjection) and not module.projection.weight.is_meta:
            bound = math.sqrt(1 / module.projection.in_features)
            module.projection.weight.uniform_(-bound, bound)
            module.projection.bias.uniform_(-bound, bound)
        elif isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                bound = math.sqrt(module.groups / (module.in_channels * module.kernel_size[0]))
                module.bias.uniform_(-bound, bound)
        elif isinstance(module, Wav2Vec2Model) and module.masked_spec_embed is not None:
            module.masked_spec_embed.uniform_()
        elif isinstance(module, Wav2Vec2ForPreTraining) and not module.project_hid.weight.is_meta:
            module.project_hid.reset_parameters()
            module.project_q.reset_parameters()
        elif isinstance(module, GumbelQuantizer):
            module.weight_proj.weight.normal_(0.0, 1.0)
            module.weight_proj.bias.zero_()
            module.codevectors.uniform_()
        elif isinstance(module, AMSoftmaxLoss):
            module.weight.normal_()

    @property
    def frame_size(self) -> int:
        return self.config.output_hidden_size if self.config.add_adapter else self.config.hidden_size

    def frames_of(self, samples: Tensor, with_adapter: bool | None = None) -> Tensor:
        """How many frames the model makes of so many samples."""
        frames = super().frames_of(samples)
        if self.config.add_adapter if with_adapter is None else with_adapter:
            layers = self.config.num_adapter_layers
            frames = speech.conv_length(frames, [1] * layers, [self.config.adapter_stride] * layers)
        return frames


class Wav2Vec2BaseModelOutput(ModelOutput):
    last_hidden_state: Tensor
    extract_features: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class Wav2Vec2Model(Wav2Vec2PreTrainedModel):
    blocks = At("encoder.layers")
    positions = At("encoder.pos_conv_embed")
    norm = At("encoder.layer_norm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.feature_extractor = speech.FeatureEncoder(config)
        self.feature_projection = speech.FeatureProjection(config)
        masks = config.mask_time_prob > 0 or config.mask_feature_prob > 0
        self.masked_spec_embed = nn.Parameter(torch.empty(config.hidden_size)) if masks else None
        self.positions = speech.PositionalConv(config)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        kind = Wav2Vec2StableBlock if config.do_stable_layer_norm else Wav2Vec2Block
        self.blocks = nn.ModuleList(kind(config, i) for i in range(config.num_hidden_layers))
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.adapter = speech.Adapter(config) if config.add_adapter else None
        self.post_init()

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Wav2Vec2BaseModelOutput:
        """last_hidden_state (batch, frames, hidden) of input_values (batch, samples), 16,000 a second.

        attention_mask (batch, samples), 1 at real samples; mask_time_indices (batch, frames), True at frames to hide.
        """
        if input_values.dim() != 2:
            raise ValueError(f"input_values has shape {tuple(input_values.shape)}; expected (batch, samples)")
        least = int(self.frames_of(torch.tensor(input_values.shape[1]), with_adapter=False))
        if least < 1:
            raise ValueError(f"input_values holds {input_values.shape[1]} samples, too few for a single frame")
        x, features = self.feature_projection(self.feature_extractor(input_values))
        real = self.real_frames(x.shape[1], attention_mask)
        if self.masked_spec_embed is not None:
            x = speech.spec_augment(
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
        x = self.norm(x) if stable else x
        x = x if self.adapter is None else self.adapter(x)
        return Wav2Vec2BaseModelOutput(last_hidden_state=x, extract_features=features, **context.collected())


class Wav2Vec2Head(Wav2Vec2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Wav2Vec2Model


class Wav2Vec2ForCTC(Wav2Vec2Head, speech_heads.CTC):
    pass


class Wav2Vec2ForSequenceClassification(Wav2Vec2Head, speech_heads.SpeechClassification):
    pass


class Wav2Vec2ForAudioFrameClassification(Wav2Vec2Head, speech_heads.WeightedLayers):
    """Labels for every frame, as who speaks."""

    def build(self, config: Any) -> None:
        super().build(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **inputs: Any
    ) -> TokenClassifierOutput:
        """logits (batch, frames, labels); labels of the same shape, 1 at the right one."""
        out, frames = self.summed_layers(input_values, attention_mask, **inputs)
        logits = self.classifier(frames)
        return TokenClassifierOutput(
            loss=None if labels is None else cross_entropy(logits, labels.argmax(-1)),
            logits=logits,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class XVectorOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    embeddings: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class Wav2Vec2ForXVector(Wav2Vec2Head, speech_heads.WeightedLayers):
    """A vector for a voice (x-vectors), trained to tell speakers apart."""

    def build(self, config: Any) -> None:
        super().build(config)
        self.projector = nn.Linear(config.hidden_size, config.tdnn_dim[0])
        sizes = [config.tdnn_dim[0], *config.tdnn_dim]
        self.tdnn = nn.ModuleList(
            TimeDelayLayer(*each)
            for each in zip(sizes[:-1], sizes[1:], config.tdnn_kernel, config.tdnn_dilation, strict=True)
        )
        self.feature_extractor = nn.Linear(config.tdnn_dim[-1] * 2, config.xvector_output_dim)
        self.classifier = nn.Linear(config.xvector_output_dim, config.xvector_output_dim)
        self.objective = AMSoftmaxLoss(config.xvector_output_dim, config.num_labels)

    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **inputs: Any
    ) -> XVectorOutput:
        """embeddings and logits (batch, xvector_output_dim); labels (batch,), the speakers."""
        out, frames = self.summed_layers(input_values, attention_mask, **inputs)
        frames = self.projector(frames)
        for layer in self.tdnn:
            frames = layer(frames)
        lengths = None
        if attention_mask is not None:
            kernels = list(self.config.tdnn_kernel)
            lengths = speech.conv_length(self.frames_of(attention_mask.sum(-1)), kernels, [1] * len(kernels))
        embeddings = self.feature_extractor(statistics_over_time(frames, lengths))
        logits = self.classifier(embeddings)
        return XVectorOutput(
            loss=None if labels is None else self.objective(logits, labels),
            logits=logits,
            embeddings=embeddings,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class Wav2Vec2ForPreTrainingOutput(ModelOutput):
    loss: Tensor | None
    projected_states: Tensor
    projected_quantized_states: Tensor
    codevector_perplexity: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    contrastive_loss: Tensor | None
    diversity_loss: Tensor | None


class Wav2Vec2ForPreTraining(Wav2Vec2Head, HeadModel):
    """Tell the code of a hidden frame from the codes of other hidden frames."""

    def build(self, config: Any) -> None:
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = GumbelQuantizer(config)
        self.project_hid = nn.Linear(config.hidden_size, config.proj_codevector_dim)
        self.project_q = nn.Linear(config.codevector_dim, config.proj_codevector_dim)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """How soft the choice of codes is in training."""
        self.quantizer.temperature = temperature

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        sampled_negative_indices: Tensor | None = None,
        **inputs: Any,
    ) -> Wav2Vec2ForPreTrainingOutput:
        """projected_states and projected_quantized_states (batch, frames, proj_codevector_dim).

        mask_time_indices (batch, frames): the hidden frames; sampled_negative_indices (batch, frames, negatives):
        for each, frames counted through the whole batch, whose codes are wrong. With both there is a loss.
        """
        hidden = None if mask_time_indices is None else mask_time_indices.bool()
        out = self.run_body(input_values, attention_mask, mask_time_indices=hidden, **inputs)
        predicted = self.project_hid(out.last_hidden_state)
        code, perplexity = self.quantizer(self.dropout_features(out.extract_features), hidden)
        code = self.project_q(code)
        contrast = diversity = loss = None
        if sampled_negative_indices is not None and hidden is not None:
            temperature = self.config.contrastive_logits_temperature
            contrast = contrastive_loss(predicted, code, sampled_negative_indices, hidden, temperature)
            entries = self.config.num_codevectors_per_group * self.config.num_codevector_groups
            diversity = (entries - perplexity) / entries * hidden.sum()
            loss = contrast + self.config.diversity_loss_weight * diversity
        return Wav2Vec2ForPreTrainingOutput(
            loss=loss,
            projected_states=predicted,
            projected_quantized_states=code,
            codevector_perplexity=perplexity,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
            contrastive_loss=contrast,
            diversity_loss=diversity,
        )
