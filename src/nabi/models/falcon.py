"""Falcon (arXiv:2311.16867): one projection for queries and a few shared keys and values; rotary positions or ALiBi."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from ..config import Config
from ..nn import heads
from ..nn.block import Block, ConfigBlock
from ..nn.context import Context
from ..nn.decoder import RotaryDecoder
from ..nn.linear import linear
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import parallel, parallel_norms, pre_norm
from .bloom import BloomForCausalLM, BloomForTokenClassification, add_linear_biases
from .gpt2 import PastFirstDecoder
from .llama import RopeConfig


class FalconConfig(RopeConfig):
    """`new_decoder_architecture`: the blocks of the 40B and 180B models, whose keys go in `num_kv_heads` groups."""

    model_type = "falcon"
    aliases = {
        "n_embed": "hidden_size",
        "n_head": "num_attention_heads",
        "n_head_kv": "num_kv_heads",
        "n_layer": "num_hidden_layers",
        "layer_norm_eps": "layer_norm_epsilon",
        "hidden_act": "activation",
        "hidden_dropout_prob": "hidden_dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    no_effect = RopeConfig.no_effect | {"apply_residual_connection_post_layernorm", "ff_factor"}

    vocab_size: int = 65024
    hidden_size: int = 4544
    num_hidden_layers: int = 32
    num_attention_heads: int = 71
    num_ln_in_parallel_attn: int | None = None
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    num_kv_heads: int | None = None
    rope_theta: float = 10000.0
    alibi: bool = False
    new_decoder_architecture: bool = False
    multi_query: bool = True
    parallel_attn: bool = True
    bias: bool = False
    ffn_hidden_size: int | None = None
    activation: str = "gelu"
    bos_token_id: int | None = 11
    eos_token_id: int | list[int] | None = 11

    @property
    def rotary_size(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @property
    def kv_heads(self) -> int:
        one = self.multi_query and not self.new_decoder_architecture
        return 1 if one else self.num_kv_heads or self.num_attention_heads

    def check(self) -> None:
        super().check()
        if self.num_ln_in_parallel_attn is None and self.new_decoder_architecture:
            self.num_ln_in_parallel_attn = 2
        if self.new_decoder_architecture:
            self.require("parallel_attn", (True,), "the new architecture is parallel")
        else:
            self.require("num_ln_in_parallel_attn", (1, None), "two norms belong to new_decoder_architecture")


def grouped(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection, in which each group of queries stands before the key and value that it shares."""
    groups = linear(block.qkv, x).unflatten(-1, (block.kv_heads, -1, block.head_size)).transpose(1, 2)
    q = groups[..., :-2, :].transpose(2, 3).flatten(1, 2)  # (batch, heads, length, head size)
    return q, groups[..., -2, :], groups[..., -1, :]


class FalconBlock(ConfigBlock):
    wiring = parallel
    project = grouped
    norm_attn = At("input_layernorm")
    qkv, o = At("self_attention.query_key_value"), At("self_attention.dense")
    up, down = At("mlp.dense_h_to_4h"), At("mlp.dense_4h_to_h")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            kv_heads=config.kv_heads,
            inner_size=config.ffn_hidden_size or 4 * config.hidden_size,
            attention_bias=config.bias,
            output_bias=config.bias,
            mlp_bias=config.bias,
        )
        self.kv_heads = config.kv_heads


class FalconTwoNormsBlock(FalconBlock):
    wiring = parallel_norms
    norm_attn, norm_mlp = At("ln_attn"), At("ln_mlp")


class FalconSequentialBlock(FalconBlock):
    wiring = pre_norm
    norm_mlp = At("post_attention_layernorm")


def falcon_block(config: Any, index: int) -> FalconBlock:
    if not config.parallel_attn:
        return FalconSequentialBlock(config, index)
    return (FalconTwoNormsBlock if config.num_ln_in_parallel_attn == 2 else FalconBlock)(config, index)


class FalconPreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = FalconConfig
    base_model_prefix = "transformer"


class FalconModel(PastFirstDecoder, RotaryDecoder, FalconPreTrainedModel):
    block_class = staticmethod(falcon_block)
    word_embeddings = At("word_embeddings")
    blocks = At("h")
    final_norm = At("ln_f")

    @property
    def biased(self) -> bool:
        return self.config.alibi

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        config = self.config
        if not config.alibi:
            return super().embed(words, position_ids, attention_mask, context)
        # trained with biases of half the precision, and scaled like the scores
        scale = config.rotary_size**-0.5
        add_linear_biases(context, words, attention_mask, config.num_attention_heads, scale, torch.bfloat16)
        return words


class FalconHead(FalconPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = FalconModel


class FalconForCausalLM(FalconHead, BloomForCausalLM):
    pass


class FalconForSequenceClassification(FalconHead, heads.LastTokenClassification):
    pass


class FalconForTokenClassification(FalconHead, BloomForTokenClassification):
    pass


class FalconForQuestionAnswering(FalconHead, heads.QuestionAnswering):
    pass
