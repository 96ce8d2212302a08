"""PEGASUS (arXiv:1912.08777): sinusoids for positions, norms before each part and at the end."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from ..nn.roles import At
from .bart import BartBodied, BartConfig, BartDecoderWrapper, BartForCausalLM, BartForConditionalGeneration
from .marian import SinusoidalModel, SinusoidalStack
from .mbart import PreNormBlock


class PegasusConfig(BartConfig):
    model_type = "pegasus"
    no_effect = BartConfig.no_effect | {"normalize_embed"}
    only: ClassVar[dict[str, Any]] = {
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "normalize_before": True,
        "normalize_embedding": False,
        "static_position_embeddings": True,
    }

    num_labels: int = 2
    pad_token_id: int | None = 0
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 1
    decoder_start_token_id: int | None = 0


class PegasusPreTrainedModel(SinusoidalModel):
    config_class = PegasusConfig


class PegasusStack(PegasusPreTrainedModel, SinusoidalStack):
    block_class = PreNormBlock
    norm_last = At("layer_norm")


class PegasusModel(PegasusPreTrainedModel, BartBodied):
    stack_class = PegasusStack


class PegasusForConditionalGeneration(PegasusPreTrainedModel, BartForConditionalGeneration):
    body_class = PegasusModel


class PegasusDecoderWrapper(PegasusPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(PegasusStack, decodes=True))


class PegasusForCausalLM(PegasusPreTrainedModel, BartForCausalLM):
    body_class = PegasusDecoderWrapper
