"""Marian (arXiv:1804.00344), of the OPUS-MT translators: BART's order with sinusoids for positions."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from .bart import (
    BartBodied,
    BartConfig,
    BartDecoderWrapper,
    BartForCausalLM,
    BartForConditionalGeneration,
    BartPreTrainedModel,
    BartStack,
)


class MarianConfig(BartConfig):
    """Without `share_encoder_decoder_embeddings` the target has a vocabulary of its own, of `decoder_vocab_size`."""

    model_type = "marian"
    only = {**BartConfig.only, "normalize_embedding": False, "static_position_embeddings": True}

    vocab_size: int = 58101
    decoder_vocab_size: int | None = None
    share_encoder_decoder_embeddings: bool = True
    num_labels: int = 2
    pad_token_id: int | None = 58100
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 0
    decoder_start_token_id: int | None = 58100

    def check(self) -> None:
        super().check()
        if self.decoder_vocab_size is None:
            self.decoder_vocab_size = self.vocab_size

    @property
    def target_vocab_size(self) -> int:
        own = None if self.share_encoder_decoder_embeddings else self.decoder_vocab_size
        return own or self.vocab_size


def sinusoids(positions: Tensor, frequencies: Tensor) -> Tensor:
    """All sines, then all cosines, of positions (…) by frequencies (n): (…, 2 n)."""
    angles = positions[..., None].float() * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


class Sinusoids(nn.Embedding):
    """A table of sinusoids that is not trained, though files hold it."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(count, size)
        self.weight.requires_grad_(False)

    def fill(self) -> None:
        size = self.embedding_dim
        frequencies = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles = torch.arange(self.num_embeddings, dtype=torch.float64)[:, None] * frequencies
        self.weight.copy_(torch.cat((angles.sin(), angles[:, : size // 2].cos()), dim=-1))


class SinusoidalModel(BartPreTrainedModel):
    """A relative of BART whose positions are sinusoids."""

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, Sinusoids):
            module.fill()

    def unstored_weights(self) -> set[str]:
        return {name for name in self.state_dict() if name.endswith(("embed_positions.weight", "final_logits_bias"))}


class SinusoidalStack(SinusoidalModel, BartStack):
    norm_first = None

    def make_positions(self, config: Any) -> None:
        self.embed_positions = Sinusoids(config.max_position_embeddings, config.d_model)

    first_position = 0


class MarianPreTrainedModel(SinusoidalModel):
    config_class = MarianConfig

    def resize_token_embeddings(self, *args: Any, **options: Any) -> nn.Module:
        """As any model's. Where source and target have vocabularies of their own, the source's is resized."""
        if self.config.share_encoder_decoder_embeddings or isinstance(self, MarianStack):
            return super().resize_token_embeddings(*args, **options)
        return self.base_model.encoder.resize_token_embeddings(*args, **options)


class MarianStack(MarianPreTrainedModel, SinusoidalStack):
    def make_words(self, config: Any) -> nn.Embedding:
        count = config.target_vocab_size if self.decodes else config.vocab_size
        return nn.Embedding(count, config.d_model, config.pad_token_id)


class MarianModel(MarianPreTrainedModel, BartBodied):
    stack_class = MarianStack

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        if not config.share_encoder_decoder_embeddings:
            del self.shared

    def tied_weights(self) -> dict[str, str]:
        return super().tied_weights() if self.config.share_encoder_decoder_embeddings else {}

    def get_input_embeddings(self) -> nn.Module:
        return self.shared if self.config.share_encoder_decoder_embeddings else self.encoder.embed_tokens

    def set_input_embeddings(self, module: Any) -> None:
        if self.config.share_encoder_decoder_embeddings:
            super().set_input_embeddings(module)
        else:
            self.encoder.embed_tokens = module


class MarianMTModel(MarianPreTrainedModel, BartForConditionalGeneration):
    body_class = MarianModel

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.d_model, config.target_vocab_size, bias=False)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.target_vocab_size))

    def tied_weights(self) -> dict[str, str]:
        tied = super().tied_weights()
        if not self.config.share_encoder_decoder_embeddings and "lm_head.weight" in tied:
            tied["lm_head.weight"] = "model.decoder.embed_tokens.weight"
        return tied


class MarianDecoderWrapper(MarianPreTrainedModel, BartDecoderWrapper):
    decoder_class = staticmethod(partial(MarianStack, decodes=True))


class MarianForCausalLM(MarianPreTrainedModel, BartForCausalLM):
    body_class = MarianDecoderWrapper

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.d_model, config.target_vocab_size, bias=False)
