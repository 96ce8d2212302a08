"""OPT (arXiv:2205.01068): a decoder with learned positions two places off; its norms stand before or after a part."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.block import Block, ConfigBlock
from ..nn.context import Context
from ..nn.decoder import TextDecoder
from ..nn.embeddings import check_length, look_up
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import post_norm, pre_norm
from .bart import FIRST_POSITION, BartDecoderWrapper, BartPreTrainedModel


class OPTConfig(Config):
    """`word_embed_proj_dim`: the words' size, where the model projects them to its own."""

    model_type = "opt"
    aliases = {
        "intermediate_size": "ffn_dim",
        "hidden_act": "activation_function",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    no_effect = Config.no_effect | {"activation_dropout", "output_projection"}
    only = {"learned_embeddings": True, "scale_embeddings": False}

    vocab_size: int = 50272
    hidden_size: int = 768
    num_hidden_layers: int = 12
    ffn_dim: int = 3072
    max_position_embeddings: int = 2048
    do_layer_norm_before: bool = True
    _remove_final_layer_norm: bool = False
    word_embed_proj_dim: int | None = None
    dropout: float = 0.1
    attention_dropout: float = 0.0
    num_attention_heads: int = 12
    activation_function: str = "relu"
    layerdrop: float = 0.0
    init_std: float = 0.02
    enable_bias: bool = True
    layer_norm_elementwise_affine: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        if self.word_embed_proj_dim is None:
            self.word_embed_proj_dim = self.hidden_size


class OPTBlock(ConfigBlock):
    wiring = pre_norm
    norm_attn = At("self_attn_layer_norm")
    q, k, v, o = At("self_attn.q_proj"), At("self_attn.k_proj"), At("self_attn.v_proj"), At("self_attn.out_proj")
    norm_mlp = At("final_layer_norm")
    up, down = At("fc1"), At("fc2")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            norm=partial(nn.LayerNorm, config.hidden_size, elementwise_affine=config.layer_norm_elementwise_affine),
            attention_bias=config.enable_bias,
            output_bias=config.enable_bias,
            mlp_bias=config.enable_bias,
        )


class OPTPostNormBlock(OPTBlock):
    wiring = post_norm


class OPTPreTrainedModel(BartPreTrainedModel):
    config_class = OPTConfig


class OPTDecoder(TextDecoder, OPTPreTrainedModel):
    word_embeddings = At("embed_tokens")
    blocks = At("layers")
    final_norm = At("final_layer_norm")

    @staticmethod
    def block_class(config: Any, index: int) -> Block:
        return (OPTBlock if config.do_layer_norm_before else OPTPostNormBlock)(config, index)

    @property
    def skip(self) -> float:
        return self.config.layerdrop

    def make_words(self, config: Any) -> nn.Module:
        return nn.Embedding(config.vocab_size, config.word_embed_proj_dim, config.pad_token_id)

    def make_norm(self, config: Any) -> nn.Module:
        if not config.do_layer_norm_before or config._remove_final_layer_norm:
            return nn.Identity()
        return nn.LayerNorm(config.hidden_size, elementwise_affine=config.layer_norm_elementwise_affine)

    def build(self, config: Any) -> None:
        self.embed_positions = nn.Embedding(config.max_position_embeddings + FIRST_POSITION, config.hidden_size)
        if config.word_embed_proj_dim != config.hidden_size:
            self.project_in = nn.Linear(config.word_embed_proj_dim, config.hidden_size, bias=False)
            self.project_out = nn.Linear(config.hidden_size, config.word_embed_proj_dim, bias=False)

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        length = words.shape[1]
        check_length(context.past + length, self.config.max_position_embeddings)
        if position_ids is None:  # they count real tokens only; padding stands before the first
            if attention_mask is None or attention_mask.dim() != 2:
                attention_mask = torch.ones(1, context.past + length, device=words.device)
            position_ids = (attention_mask.cumsum(1) * attention_mask - 1).long()[:, context.past :]
        words = self.project_in(words) if hasattr(self, "project_in") else words
        return words + look_up(self.embed_positions, position_ids + FIRST_POSITION, "position_ids")

    def finish(self, x: Tensor) -> Tensor:
        x = self.final_norm(x)
        return self.project_out(x) if hasattr(self, "project_out") else x


class OPTModel(BartDecoderWrapper, OPTPreTrainedModel):
    decoder_class = OPTDecoder


class OPTHead(OPTPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = OPTModel


class OPTForCausalLM(OPTHead, heads.CausalLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "model.decoder.embed_tokens.weight"}
    output_embeddings = At("lm_head")

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.word_embed_proj_dim, config.vocab_size, bias=False)


class OPTForSequenceClassification(OPTHead, heads.LastTokenClassification):
    def build(self, config: Any) -> None:
        self.score = nn.Linear(config.word_embed_proj_dim, config.num_labels, bias=False)


class OPTForQuestionAnswering(OPTHead, heads.QuestionAnswering):
    def build(self, config: Any) -> None:
        super().build(config)
        self.qa_outputs = nn.Linear(config.word_embed_proj_dim, 2)
