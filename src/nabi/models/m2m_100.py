"""M2M-100 (arXiv:2010.11125) and NLLB: norms before each part; sinusoids of positions that count real tokens."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..nn import seq2seq
from ..nn.embeddings import counted_positions, positions_after_padding
from ..nn.roles import At
from .bart import BartBodied, BartConfig, BartForConditionalGeneration, BartPreTrainedModel, BartStack
from .marian import sinusoids
from .mbart import PreNormBlock


class M2M100Config(BartConfig):
    model_type = "m2m_100"
    only: ClassVar[dict[str, Any]] = {
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "normalize_before": True,
        "normalize_embedding": False,
        "static_position_embeddings": True,
    }

    vocab_size: int = 128112
    encoder_layerdrop: float = 0.05
    decoder_layerdrop: float = 0.05
    activation_function: str = "relu"
    attention_dropout: float = 0.1
    scale_embedding: bool = True
    num_labels: int = 2
    decoder_start_token_id: int | None = 2


class M2M100PreTrainedModel(BartPreTrainedModel):
    config_class = M2M100Config
    ignored_on_disk = (*BartPreTrainedModel.ignored_on_disk, r"embed_positions\.(weights|_float_tensor)$")


class M2M100Stack(M2M100PreTrainedModel, BartStack):
    block_class = PreNormBlock
    norm_first = None
    norm_last = At("layer_norm")

    def make_positions(self, config: Any) -> None:
        """None are kept: sinusoids are computed, for texts of any length."""

    def positions(self, input_ids: Tensor | None, given: Tensor, past: int) -> Tensor:
        size, padding = self.config.d_model, self.config.pad_token_id
        if input_ids is None:
            places = counted_positions(given.shape[1], past + padding + 1, given.device)
        else:
            places = positions_after_padding(input_ids, padding, past)
        half = torch.arange(size // 2, device=given.device, dtype=torch.float32)
        vectors = sinusoids(places, torch.exp(half * (-math.log(10000.0) / (size // 2 - 1))))
        return vectors.masked_fill((places == padding)[..., None], 0.0).to(self.embed_tokens.weight.dtype)


class M2M100Model(M2M100PreTrainedModel, BartBodied):
    stack_class = M2M100Stack


class M2M100ForConditionalGeneration(M2M100PreTrainedModel, seq2seq.Seq2SeqLM):
    body_class = M2M100Model
    ties = BartForConditionalGeneration.ties
    output_embeddings = At("lm_head")
