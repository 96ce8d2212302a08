"""What `generate` returns with return_dict_in_generate, and how it is gathered step by step."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..outputs import ModelOutput
from .stepper import Stepper

Layers = tuple[tuple[Tensor, ...], ...]  # for each step, for each layer


class GenerateDecoderOnlyOutput(ModelOutput):
    """sequences (rows, length); scores and logits, for each step (rows, vocabulary)."""

    sequences: Tensor
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    attentions: Layers | None
    hidden_states: Layers | None
    past_key_values: Any


class GenerateEncoderDecoderOutput(ModelOutput):
    """sequences (rows, target length); scores and logits, for each step (rows, vocabulary)."""

    sequences: Tensor
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: Layers | None
    cross_attentions: Layers | None
    decoder_hidden_states: Layers | None
    past_key_values: Any


class GenerateBeamDecoderOnlyOutput(ModelOutput):
    """As without beams; sequences_scores (texts,), beam_indices (texts, steps): which row wrote a token, -1 behind."""

    sequences: Tensor
    sequences_scores: Tensor | None
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    beam_indices: Tensor | None
    attentions: Layers | None
    hidden_states: Layers | None
    past_key_values: Any


class GenerateBeamEncoderDecoderOutput(ModelOutput):
    """As without beams; sequences_scores (texts,), beam_indices (texts, steps): which row wrote a token, -1 behind."""

    sequences: Tensor
    sequences_scores: Tensor | None
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    beam_indices: Tensor | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: Layers | None
    cross_attentions: Layers | None
    decoder_hidden_states: Layers | None
    past_key_values: Any


class Record:
    """What is kept of each step, as the settings want it."""

    def __init__(self, settings: Any) -> None:
        self.wanted = settings.return_dict_in_generate
        names = {"scores", "logits", "attentions", "hidden_states"}
        self.kept: dict[str, list[Any]] = {
            name: [] for name in names if self.wanted and getattr(settings, f"output_{name}")
        }

    def see(self, logits: Tensor, scores: Tensor, step: Any) -> None:
        """After a step: the model's scores and what was made of them, (rows, vocabulary), and its whole output."""
        for name, value in (("scores", scores), ("logits", logits)):
            if name in self.kept:
                self.kept[name].append(value)
        for name in ("attentions", "hidden_states", "cross_attentions"):
            if name.removeprefix("cross_") in self.kept:
                found = step.get(f"decoder_{name}") if name != "cross_attentions" else step.get(name)
                found = step.get(name) if found is None else found
                if found is not None:
                    self.kept.setdefault(name, []).append(found)

    @property
    def scores(self) -> tuple[Tensor, ...] | None:
        """The scores of all steps, for criteria that read them."""
        return tuple(self.kept["scores"]) if "scores" in self.kept else None

    def output(self, sequences: Tensor, stepper: Stepper, **of_beams: Any) -> Any:
        """The ids alone, or everything that was kept."""
        if not self.wanted:
            return sequences
        kept = {name: tuple(values) for name, values in self.kept.items()}
        fields: dict[str, Any] = {"sequences": sequences, **of_beams}
        fields.update({name: kept[name] for name in ("scores", "logits", "cross_attentions") if name in kept})
        fields["past_key_values"] = stepper.cache
        side = "decoder_" if stepper.decodes else ""
        fields.update({side + name: kept[name] for name in ("attentions", "hidden_states") if name in kept})
        if stepper.decodes:
            read = stepper.inputs.get("encoder_outputs")
            for name in ("attentions", "hidden_states"):
                if name in kept and read is not None and read.get(name) is not None:
                    fields[f"encoder_{name}"] = read[name]
            return (GenerateBeamEncoderDecoderOutput if of_beams else GenerateEncoderDecoderOutput)(**fields)
        fields.pop("cross_attentions", None)
        return (GenerateBeamDecoderOnlyOutput if of_beams else GenerateDecoderOnlyOutput)(**fields)
