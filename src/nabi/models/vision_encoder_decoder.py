"""An encoder of images and a decoder of text, joined: captions, and TrOCR (arXiv:2109.10282)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..outputs import Seq2SeqLMOutput
from . import any_family
from .encoder_decoder import EncoderDecoderModel, HalvesConfig


class VisionEncoderDecoderConfig(HalvesConfig):
    model_type = "vision-encoder-decoder"
    nested = {
        "encoder": any_family("vit"),
        "decoder": any_family("bert", is_decoder=True, add_cross_attention=True),
    }


class VisionEncoderDecoderModel(EncoderDecoderModel):
    config_class = VisionEncoderDecoderConfig
    base_model_prefix = "vision_encoder_decoder"
    main_input_name = "pixel_values"

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def set_input_embeddings(self, module: nn.Module) -> None:
        self.decoder.set_input_embeddings(module)

    def forward(  # type: ignore[override]
        self,
        pixel_values: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqLMOutput:
        """logits (batch, target length, vocabulary); labels (batch, target length) also make decoder_input_ids.
        Inputs that begin with decoder_ go to the decoder, the others to the encoder."""
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.shift_right(labels)
        return self.write(
            {"pixel_values": pixel_values},
            labels,
            encoder_outputs=encoder_outputs,
            input_ids=decoder_input_ids,
            attention_mask=decoder_attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=decoder_inputs_embeds,
            more=inputs,
        )
