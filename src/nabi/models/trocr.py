"""TrOCR's text half (arXiv:2109.10282): BART's decoder, over an encoder whose vectors may have another size."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from ..config import Config
from ..nn.roles import At
from .bart import BartBlock, BartDecoderWrapper, BartForCausalLM, BartPreTrainedModel, BartStack
from .m2m_100 import sinusoids_of_tokens


class TrOCRConfig(Config):
    model_type = "trocr"
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "decoder_attention_heads",
        "num_hidden_layers": "decoder_layers",
    }
    no_effect = Config.no_effect - {"cross_attention_hidden_size"} | {"classifier_dropout"}

    vocab_size: int = 50265
    d_model: int = 1024
    decoder_layers: int = 12
    decoder_attention_heads: int = 16
    decoder_ffn_dim: int = 4096
    activation_function: str = "gelu"
    max_position_embeddings: int = 512
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    decoder_layerdrop: float = 0.0
    init_std: float = 0.02
    scale_embedding: bool = False
    use_learned_position_embeddings: bool = True
    layernorm_embedding: bool = True
    cross_attention_hidden_size: int | None = None
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    decoder_start_token_id: int | None = 2


class TrOCRBlock(BartBlock):
    def __init__(self, config: Any, index: int, decodes: bool) -> None:
        super().__init__(config, index, decodes)
        if config.cross_attention_hidden_size is not None:
            self.cross_k = nn.Linear(config.cross_attention_hidden_size, config.d_model)
            self.cross_v = nn.Linear(config.cross_attention_hidden_size, config.d_model)


class TrOCRPreTrainedModel(BartPreTrainedModel):
    config_class = TrOCRConfig
    ignored_on_disk = (*BartPreTrainedModel.ignored_on_disk, r"embed_positions\._float_tensor$")


class TrOCRStack(TrOCRPreTrainedModel, BartStack):
    block_class = TrOCRBlock

    def __init__(self, config: Any, decodes: bool) -> None:
        super().__init__(config, decodes)
        if not config.layernorm_embedding:
            del self.layernorm_embedding

    def make_positions(self, config: Any) -> None:
        if config.use_learned_position_embeddings:
            super().make_positions(config)

    def positions(self, input_ids: Tensor | None, given: Tensor, past: int) -> Tensor:
        config = self.config
        if config.use_learned_position_embeddings:
            return super().positions(input_ids, given, past)
        vectors = sinusoids_of_tokens(input_ids, given, past, config.d_model, config.pad_token_id)
        return vectors.to(self.embed_tokens.weight.dtype)


class TrOCRDecoderWrapper(TrOCRPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(TrOCRStack, decodes=True))


class TrOCRForCausalLM(TrOCRPreTrainedModel, BartForCausalLM):
    body_class = TrOCRDecoderWrapper
    ties = {"output_projection.weight": "model.decoder.embed_tokens.weight"}
    output_embeddings = At("output_projection")
