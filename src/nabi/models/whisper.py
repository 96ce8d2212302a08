"""Whisper (arXiv:2212.04356): 30 seconds of sound as a mel spectrogram, and a decoder that writes what is said."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..nn import seq2seq
from ..nn.cache import Cache
from ..nn.context import Context
from ..nn.embeddings import check_length, counted_positions, tokens_or_vectors, word_vectors
from ..nn.generating import SpeechGenerationMixin
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    Seq2SeqModelOutput,
    SequenceClassifierOutput,
)
from .bart import BartDecoderWrapper, BartForCausalLM, BartPreTrainedModel, BartStack
from .marian import Sinusoids, sinusoids
from .mbart import PreNormBlock
from .parts.speech import SoundConfig, spec_augment
from .parts.speech_heads import SoundClassification

SHRINKS = 2  # frames of the spectrogram for each position of the encoder


class WhisperConfig(SoundConfig):
    model_type = "whisper"
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_key_value_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }
    no_effect = (
        SoundConfig.no_effect
        | {"scale_embedding"}  # written down, and read by no version of the model
        # Settings of `generate`, which stood here before they had a file of their own.
        | {"forced_decoder_ids", "median_filter_width", "alignment_heads", "lang_to_id", "task_to_id", "task"}
        | {"is_multilingual", "no_timestamps_token_id", "return_timestamps", "max_initial_timestamp_index"}
        | {"prev_sot_token_id"}
    )

    vocab_size: int = 51865
    num_mel_bins: int = 80
    encoder_layers: int = 4
    encoder_attention_heads: int = 6
    decoder_layers: int = 4
    decoder_attention_heads: int = 6
    decoder_ffn_dim: int = 1536
    encoder_ffn_dim: int = 1536
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    activation_function: str = "gelu"
    d_model: int = 384
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    max_source_positions: int = 1500
    max_target_positions: int = 448
    apply_spec_augment: bool = False
    is_encoder_decoder: bool = True
    pad_token_id: int | None = 50256
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256
    decoder_start_token_id: int | None = 50257


class WhisperBlock(PreNormBlock):
    """Keys have no bias: it would change nothing, as it adds the same to all scores of a query."""

    def __init__(self, config: Any, index: int, decodes: bool) -> None:
        super().__init__(config, index, decodes)
        for keys in (self.k, self.cross_k):
            if keys is not None:
                keys.bias = None


class FrameSinusoids(Sinusoids):
    def fill(self) -> None:
        half = self.embedding_dim // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
        self.weight.copy_(sinusoids(torch.arange(self.num_embeddings), frequencies))


class WhisperPreTrainedModel(BartPreTrainedModel):
    config_class = WhisperConfig
    main_input_name = "input_features"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, FrameSinusoids):
            module.fill()
        elif isinstance(module, nn.Conv1d):
            module.weight.normal_(0.0, self.config.init_std)

    def check_features(self, features: Any) -> Tensor:
        """The spectrogram if it is (batch, mel bins, frames) of the sizes that the model reads; else an error."""
        bins, frames = self.config.num_mel_bins, SHRINKS * self.config.max_source_positions
        what = f"expected log-mel features of shape (batch, {bins}, {frames}), as WhisperFeatureExtractor makes them"
        if not isinstance(features, Tensor):
            raise TypeError(f"input_features is a {type(features).__name__}: {what} with return_tensors='pt'")
        shape = tuple(features.shape)
        if features.dim() != 3 or not features.is_floating_point():
            raise ValueError(f"input_features has shape {shape} and numbers of {features.dtype}: {what}")
        if shape[1] != bins:
            raise ValueError(
                f"input_features has {shape[1]} mel bins (shape {shape}), the model reads {bins}: use the feature "
                f"extractor of this checkpoint, or one with feature_size={bins}"
            )
        if shape[2] != frames:
            raise ValueError(
                f"input_features has {shape[2]} frames (shape {shape}), the model reads {frames}, twice its "
                f"max_source_positions of {self.config.max_source_positions}: let the feature extractor pad or cut "
                "sounds to 30 s, with padding='max_length' and truncation=True, as it does if not told otherwise"
            )
        return features


class WhisperStack(WhisperPreTrainedModel, BartStack):
    block_class = WhisperBlock
    norm_first = None
    norm_last = At("layer_norm")

    def word_scale(self, config: Any) -> float:
        return 1.0


class WhisperEncoderStack(WhisperStack):
    """Two convolutions, of which the second halves the frames; fixed sinusoids; blocks."""

    def make_words(self, config: Any) -> None:
        self.conv1 = nn.Conv1d(config.num_mel_bins, config.d_model, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(config.d_model, config.d_model, kernel_size=3, stride=SHRINKS, padding=1)

    def make_positions(self, config: Any) -> None:
        self.embed_positions = FrameSinusoids(config.max_source_positions, config.d_model)

    def embed(self, input_ids: Tensor | None, given: Tensor, context: Context) -> Tensor:
        return self.dropout(given + self.embed_positions.weight)

    def forward(  # type: ignore[override]
        self, input_features: Tensor, attention_mask: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """last_hidden_state (batch, frames / 2, hidden) of input_features (batch, mel bins, frames).

        Silence is read like all else: attention_mask hides nothing.
        """
        x = F.gelu(self.conv1(self.check_features(input_features).to(self.conv1.weight.dtype)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        return super().forward(**{**inputs, "inputs_embeds": x})


class WhisperDecoderStack(WhisperStack):
    main_input_name = "input_ids"

    def make_positions(self, config: Any) -> None:
        self.embed_positions = nn.Embedding(config.max_target_positions, config.d_model)

    def positions(self, input_ids: Tensor | None, given: Tensor, past: int) -> Tensor:
        check_length(past + given.shape[1], self.config.max_target_positions)
        return self.embed_positions(counted_positions(given.shape[1], past, given.device))


class WhisperModel(WhisperPreTrainedModel):
    word_embeddings = At("decoder.embed_tokens")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.encoder = WhisperEncoderStack(config, decodes=False)
        self.decoder = WhisperDecoderStack(config, decodes=True)
        self.post_init()

    def freeze_encoder(self) -> None:
        """Train the decoder only."""
        self.encoder.requires_grad_(False)

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        decoder_position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqModelOutput:
        """The decoder's last_hidden_state (batch, target length, hidden) for input_features (batch, bins, frames).

        attention_mask (batch, frames) says only where spans may be hidden while training, if the config has
        apply_spec_augment; decoder_position_ids (batch, target length): the places of the target's ids, counted if not
        given; other inputs as in nn.seq2seq.run_seq2seq.
        """
        if decoder_position_ids is not None:
            args, inputs = self.placed(decoder_position_ids, *args, **inputs)
        if input_features is not None and self.training:
            frames = self.check_features(input_features).transpose(1, 2)
            input_features = spec_augment(frames, self.config, training=True, real=attention_mask).transpose(1, 2)
        return seq2seq.run_seq2seq(self, input_features, None, *args, **inputs)

    def placed(
        self, places: Tensor, decoder_input_ids: Tensor | None = None, *args: Any, **inputs: Any
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The inputs behind the source with vectors in place of ids, which carry on from where the decoder counts."""
        vectors = inputs.get("decoder_inputs_embeds")
        given = tokens_or_vectors(decoder_input_ids, vectors)
        past = Cache.of(inputs.get("past_key_values")).get_seq_length()
        counted = self.decoder.positions(decoder_input_ids, given, past)
        words = word_vectors(self.decoder.embed_tokens, decoder_input_ids, given)
        vectors = words + (self.decoder.embed_positions(places) - counted)
        return (None, *args), {**inputs, "decoder_inputs_embeds": vectors}


class WhisperForConditionalGeneration(SpeechGenerationMixin, WhisperPreTrainedModel, seq2seq.Seq2SeqLM):
    body_class: ClassVar[type[PreTrainedModel]] = WhisperModel
    ties: ClassVar[dict[str, str]] = {"proj_out.weight": "model.decoder.embed_tokens.weight"}
    output_embeddings = At("proj_out")
    starts_anywhere = True

    def freeze_encoder(self) -> None:
        """Train the decoder only."""
        self.model.freeze_encoder()

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, past_key_values: Any = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> dict[str, Any]:
        """With padding before them, ids stand where they would without it."""
        mask = inputs.get("decoder_attention_mask")
        made = super().prepare_inputs_for_generation(input_ids, past_key_values, attention_mask, **inputs)
        if mask is not None and "decoder_position_ids" not in made:
            places = (mask.long().cumsum(-1) - 1).clamp(min=0)
            made["decoder_position_ids"] = places[:, -made["decoder_input_ids"].shape[1] :]
        return made


class WhisperDecoderWrapper(WhisperPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(WhisperDecoderStack, decodes=True))


class WhisperForCausalLM(WhisperPreTrainedModel, BartForCausalLM):
    """The decoder as a language model, as an assistant to a larger one: it hears what encoder_outputs say."""

    body_class = WhisperDecoderWrapper
    main_input_name = "input_ids"
    ties = WhisperForConditionalGeneration.ties
    output_embeddings = At("proj_out")

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        *args: Any,
        **inputs: Any,
    ) -> CausalLMOutputWithCrossAttentions:
        """logits (batch, length, vocabulary); encoder_outputs: an encoder's output, or its last_hidden_state."""
        if encoder_outputs is not None and not isinstance(encoder_outputs, Tensor):
            encoder_outputs = encoder_outputs[0]
        return super().forward(input_ids, attention_mask, encoder_outputs, *args, **inputs)


class WhisperForAudioClassification(WhisperPreTrainedModel, SoundClassification):
    """One label for a sound, from the encoder."""

    body_class = WhisperEncoderStack
    body_options: ClassVar[dict[str, Any]] = {"decodes": False}
    base_model_prefix = "encoder"
    renames = ((r"^model\.encoder\.", "encoder."),)  # from a checkpoint with a decoder

    def freeze_encoder(self) -> None:
        """Train the head only."""
        self.encoder.requires_grad_(False)

    def run_body(self, *args: Any, encoder_outputs: Any = None, **inputs: Any) -> Any:
        if encoder_outputs is None:
            return super().run_body(*args, **inputs)
        return seq2seq.as_output(encoder_outputs)

    def forward(
        self,
        input_features: Tensor | None = None,
        encoder_outputs: Any = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        """logits (batch, labels); labels (batch,). encoder_outputs, where there are some, stand for the features."""
        if self.config.use_weighted_layer_sum:
            inputs["output_hidden_states"] = True  # and so they are given to the caller
        out, frames = self.summed_layers(input_features, encoder_outputs=encoder_outputs, **inputs)
        return self.classified(out, frames, labels)
