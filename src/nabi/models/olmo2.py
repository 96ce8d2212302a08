"""OLMo 2 (arXiv:2501.00656): LLaMA whose parts are normalised after they computed; queries and keys as a whole too."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ..nn import heads
from ..nn.attention import split_heads
from ..nn.block import Block
from ..nn.linear import linear
from ..nn.norms import RMSNorm
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import norm_after
from .llama import DecoderConfig, LlamaBlock, LlamaForCausalLM, LlamaModel, LlamaPreTrainedModel


class Olmo2Config(DecoderConfig):
    model_type = "olmo2"

    vocab_size: int = 50304
    rms_norm_eps: float = 1e-5
    attention_bias: bool = False
    pad_token_id: int | None = 1
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 50279

    @property
    def output_bias(self) -> bool:
        return self.attention_bias


def normed_whole(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three projections; queries and keys are normalised over all heads together."""
    parts = block.head_norm_q(linear(block.q, x)), block.head_norm_k(linear(block.k, x)), linear(block.v, x)
    q, k, v = (split_heads(part, block.head_size) for part in parts)
    return q, k, v


class Olmo2Block(LlamaBlock):
    wiring = norm_after
    project = normed_whole
    norm_attn, norm_mlp = At("post_attention_layernorm"), At("post_feedforward_layernorm")
    head_norm_q, head_norm_k = At("self_attn.q_norm"), At("self_attn.k_norm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.head_norm_q = RMSNorm(self.q.out_features, config.rms_norm_eps)
        self.head_norm_k = RMSNorm(self.k.out_features, config.rms_norm_eps)


class Olmo2PreTrainedModel(LlamaPreTrainedModel):
    config_class = Olmo2Config


class Olmo2Model(Olmo2PreTrainedModel, LlamaModel):
    block_class = Olmo2Block


class Olmo2Head(Olmo2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Olmo2Model


class Olmo2ForCausalLM(Olmo2Head, LlamaForCausalLM):
    pass


class Olmo2ForSequenceClassification(Olmo2Head, heads.LastTokenClassification):
    pass
