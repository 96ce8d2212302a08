"""Phi (arXiv:2306.11644), 1 to 2: attention and MLP side by side on one norm; a part of each head turns."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from ..nn import heads
from ..nn.attention import normed_heads
from ..nn.block import Block, ConfigBlock
from ..nn.decoder import RotaryDecoder
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import parallel
from .llama import LlamaForCausalLM, LlamaForTokenClassification, LlamaPreTrainedModel, RopeConfig


class PhiConfig(RopeConfig):
    model_type = "phi"
    aliases = {
        "hidden_dropout_prob": "resid_pdrop",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    no_effect = RopeConfig.no_effect | {"use_flash_attn", "flash_attn", "flash_rotary", "fused_dense"}

    vocab_size: int = 51200
    hidden_size: int = 2048
    intermediate_size: int = 8192
    num_hidden_layers: int = 24
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    hidden_act: str = "gelu_new"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    partial_rotary_factor: float = 0.5
    qk_layernorm: bool = False
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    @property
    def rotary_size(self) -> int:
        return int(self.hidden_size // self.num_attention_heads * self.partial_rotary_factor)


class PhiBlock(ConfigBlock):
    wiring = parallel
    norm_attn = At("input_layernorm")
    q, k, v, o = At("self_attn.q_proj"), At("self_attn.k_proj"), At("self_attn.v_proj"), At("self_attn.dense")
    up, down = At("mlp.fc1"), At("mlp.fc2")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            kv_heads=config.num_key_value_heads,
        )


class PhiNormedBlock(PhiBlock):
    project = normed_heads
    head_norm_q, head_norm_k = At("self_attn.q_layernorm"), At("self_attn.k_layernorm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.head_norm_q = nn.LayerNorm(self.head_size, eps=config.layer_norm_eps)
        self.head_norm_k = nn.LayerNorm(self.head_size, eps=config.layer_norm_eps)


class PhiPreTrainedModel(LlamaPreTrainedModel):
    config_class = PhiConfig


class PhiModel(RotaryDecoder, PhiPreTrainedModel):
    dropout_key = "embd_pdrop"
    word_embeddings = At("embed_tokens")
    blocks = At("layers")
    final_norm = At("final_layernorm")

    @staticmethod
    def block_class(config: Any, index: int) -> Block:
        return (PhiNormedBlock if config.qk_layernorm else PhiBlock)(config, index)


class PhiHead(PhiPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = PhiModel


class PhiForCausalLM(PhiHead, LlamaForCausalLM):
    output_bias = True


class PhiForSequenceClassification(PhiHead, heads.LastTokenClassification):
    pass


class PhiForTokenClassification(PhiHead, LlamaForTokenClassification):
    pass
