"""Heads on frames of sound."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.heads import HeadModel
from ...nn.losses import cross_entropy
from ...outputs import CausalLMOutput, SequenceClassifierOutput
from .speech import mean_over_time
from .speech_body import SpeechModel


class WeightedLayers(HeadModel):
    """A head on the frames of the last layer, or on a learned mean of all layers if the config says so."""

    def build(self, config: Any) -> None:
        if config.use_weighted_layer_sum:
            layers = config.num_hidden_layers + 1
            self.layer_weights = nn.Parameter(torch.full((layers,), 1 / layers))

    def summed_layers(self, *args: Any, **inputs: Any) -> tuple[Any, Tensor]:
        """The body's output, and the frames: of the last layer, or a learned mean of all layers."""
        if not self.config.use_weighted_layer_sum:
            out = self.run_body(*args, **inputs)
            return out, out.last_hidden_state
        wanted = inputs.pop("output_hidden_states", None)
        out = self.run_body(*args, output_hidden_states=True, **inputs)
        weights = torch.softmax(self.layer_weights, dim=-1)
        frames = (torch.stack(out.hidden_states, dim=-1) * weights).sum(-1)
        if not (self.config.output_hidden_states if wanted is None else wanted):
            del out["hidden_states"]
        return out, frames


class CTC(SpeechModel, HeadModel):
    """Scores of characters for every frame, trained by connectionist temporal classification."""

    def build(self, config: Any) -> None:
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = nn.Linear(self.frame_size, config.vocab_size)

    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **inputs: Any
    ) -> CausalLMOutput:
        """logits (batch, frames, vocabulary). labels (batch, characters), -100 at padding; config.pad_token_id is
        the blank."""
        if labels is not None and labels.dim() != 2:
            raise ValueError(f"labels has shape {tuple(labels.shape)}; expected (batch, characters), -100 at padding")
        if labels is not None and int(labels.max()) >= self.config.vocab_size:
            raise ValueError(
                f"labels hold {int(labels.max())}, but the vocabulary has {self.config.vocab_size} characters: use "
                "the tokenizer that belongs to the model, or load with vocab_size=…"
            )
        out = self.run_body(input_values, attention_mask, **inputs)
        logits = self.lm_head(self.dropout(out.last_hidden_state))
        loss = None
        if labels is not None:
            samples = (
                torch.full((len(labels),), input_values.shape[1]) if attention_mask is None else attention_mask.sum(-1)
            )
            real = labels >= 0
            loss = F.ctc_loss(
                logits.float().log_softmax(-1).transpose(0, 1),
                labels[real],
                self.frames_of(samples).long(),
                real.sum(-1),
                blank=self.config.pad_token_id or 0,
                reduction=self.config.ctc_loss_reduction,
                zero_infinity=self.config.ctc_zero_infinity,
            )
        return CausalLMOutput(loss=loss, logits=logits, hidden_states=out.hidden_states, attentions=out.attentions)


class SoundClassification(WeightedLayers):
    """One label for a sound, from the mean of its frames."""

    def build(self, config: Any) -> None:
        super().build(config)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)

    def classified(
        self, out: Any, frames: Tensor, labels: Tensor | None, real: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """The answer from frames (batch, frames, hidden), of which `real` (batch, frames) count."""
        logits = self.classifier(mean_over_time(self.projector(frames), real))
        return SequenceClassifierOutput(
            loss=cross_entropy(logits, labels),
            logits=logits,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class SpeechClassification(SpeechModel, SoundClassification):
    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """logits (batch, labels); labels (batch,)."""
        out, frames = self.summed_layers(input_values, attention_mask, **inputs)
        return self.classified(out, frames, labels, self.real_frames(frames.shape[1], attention_mask))
