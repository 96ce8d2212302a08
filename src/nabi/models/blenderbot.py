"""Blenderbot (arXiv:2004.13637): BART with norms before each part and at the end, none on the words."""

from __future__ import annotations

from functools import partial

from ..nn.roles import At
from .bart import (
    BartBodied,
    BartConfig,
    BartDecoderWrapper,
    BartForCausalLM,
    BartForConditionalGeneration,
    BartPreTrainedModel,
    BartStack,
)
from .mbart import PreNormBlock


class BlenderbotConfig(BartConfig):
    model_type = "blenderbot"
    no_effect = BartConfig.no_effect | {"layernorm_variant", "extra_layer_norm", "variant"}
    only = {**BartConfig.only, "add_final_layer_norm": True, "normalize_before": True, "normalize_embedding": False}

    vocab_size: int = 8008
    max_position_embeddings: int = 128
    encoder_layers: int = 2
    encoder_ffn_dim: int = 10240
    encoder_attention_heads: int = 32
    decoder_layers: int = 24
    decoder_ffn_dim: int = 10240
    decoder_attention_heads: int = 32
    d_model: int = 2560
    num_labels: int = 2
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    decoder_start_token_id: int | None = 1


class BlenderbotPreTrainedModel(BartPreTrainedModel):
    config_class = BlenderbotConfig


class BlenderbotStack(BlenderbotPreTrainedModel, BartStack):
    block_class = PreNormBlock
    first_position = 0
    norm_first = None
    norm_last = At("layer_norm")


class BlenderbotModel(BlenderbotPreTrainedModel, BartBodied):
    stack_class = BlenderbotStack


class BlenderbotForConditionalGeneration(BlenderbotPreTrainedModel, BartForConditionalGeneration):
    body_class = BlenderbotModel


class BlenderbotDecoderWrapper(BlenderbotPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(BlenderbotStack, decodes=True))


class BlenderbotForCausalLM(BlenderbotPreTrainedModel, BartForCausalLM):
    body_class = BlenderbotDecoderWrapper
