"""Wav2Vec2 (arXiv:2006.11477): convolutions over the raw waveform, then a Transformer over frames."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor, nn

from ..nn.heads import HeadModel
from ..nn.losses import cross_entropy
from ..nn.pretrained import PreTrainedModel
from ..outputs import ModelOutput, TokenClassifierOutput
from .parts import speech, speech_heads
from .parts.codebook import GumbelQuantizer, contrastive_loss
from .parts.speakers import AMSoftmaxLoss, TimeDelayLayer, statistics_over_time
from .parts.speech_body import SpeechBody, SpeechConfig, SpeechModel


class Wav2Vec2Config(SpeechConfig):
    model_type = "wav2vec2"

    feat_quantizer_dropout: float = 0.0
    num_codevectors_per_group: int = 320
    num_codevector_groups: int = 2
    contrastive_logits_temperature: float = 0.1
    num_negatives: int = 100
    codevector_dim: int = 256
    proj_codevector_dim: int = 256
    diversity_loss_weight: float = 0.1
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

    def check(self) -> None:
        super().check()
        self.require("adapter_attn_dim", (None,), "adapters inside the attention blocks (MMS) are not there yet")
        if self.output_hidden_size is None:
            self.output_hidden_size = self.hidden_size


class Wav2Vec2PreTrainedModel(SpeechModel):
    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, speech.FeatureProjection) and not module.projection.weight.is_meta:
            bound = math.sqrt(1 / module.projection.in_features)
            module.projection.weight.uniform_(-bound, bound)
            module.projection.bias.uniform_(-bound, bound)
        elif isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                bound = math.sqrt(module.groups / (module.in_channels * module.kernel_size[0]))
                module.bias.uniform_(-bound, bound)
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

    def frames_of(self, samples: Tensor) -> Tensor:
        frames = self.stem_frames(samples)
        if self.config.add_adapter:
            layers = self.config.num_adapter_layers
            frames = speech.conv_length(frames, [1] * layers, [self.config.adapter_stride] * layers)
        return frames


class Wav2Vec2BaseModelOutput(ModelOutput):
    last_hidden_state: Tensor
    extract_features: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class Wav2Vec2Model(Wav2Vec2PreTrainedModel, SpeechBody):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.adapter = speech.Adapter(config) if config.add_adapter else None
        self.post_init()

    def forward(self, *args: Any, **inputs: Any) -> Wav2Vec2BaseModelOutput:
        """last_hidden_state (batch, frames, hidden); inputs as in SpeechBody.encode."""
        x, features, context = self.encode(*args, **inputs)
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
