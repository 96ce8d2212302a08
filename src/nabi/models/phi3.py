"""Phi-3 (arXiv:2404.14219) and Phi-4: LLaMA with fused projections; positions stretched by LongRoPE."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ..nn import heads
from ..nn.attention import split_heads
from ..nn.block import Block
from ..nn.context import Context
from ..nn.linear import linear
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from .llama import (
    DecoderConfig,
    LlamaBlock,
    LlamaForCausalLM,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
)


class Phi3Config(DecoderConfig):
    model_type = "phi3"
    no_effect = DecoderConfig.no_effect | {"embd_pdrop", "rope_parameters_type"}
    only = {"full_attn_mod": 1, "interpolate_factor": 1, "lm_head_bias": False, "mlp_bias": False}
    attention_bias: bool = False

    vocab_size: int = 32064
    hidden_size: int = 3072
    intermediate_size: int = 8192
    max_position_embeddings: int = 4096
    original_max_position_embeddings: int = 4096
    rms_norm_eps: float = 1e-5
    resid_pdrop: float = 0.0
    partial_rotary_factor: float = 1.0
    sliding_window: int | None = None
    eos_token_id: int | list[int] | None = 32000
    pad_token_id: int | None = 32000

    @property
    def rotary_size(self) -> int:
        return int((self.head_dim or 0) * self.partial_rotary_factor)

    def window(self, layer: int) -> int | None:
        return self.sliding_window

    def rope(self) -> dict[str, Any]:
        rope = {"original_max_position_embeddings": self.original_max_position_embeddings, **super().rope()}
        return {**rope, "rope_type": "longrope"} if rope["rope_type"] in ("su", "yarn") else rope  # older names


def sections(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One fused projection: all queries, then the fewer keys, then the values."""
    inside, inside_kv = block.o.in_features, (block.qkv.out_features - block.o.in_features) // 2
    q, k, v = (
        split_heads(part, block.head_size) for part in linear(block.qkv, x).split((inside, inside_kv, inside_kv), -1)
    )
    return q, k, v


class Phi3Block(LlamaBlock):
    project = sections
    q = k = v = gate = up = None
    qkv = At("self_attn.qkv_proj")
    gate_up = At("mlp.gate_up_proj")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index, dropout=config.resid_pdrop)
        self.gate_up = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)

    def feed(self, x: Tensor, context: Context) -> Tensor:
        gate, up = linear(self.gate_up, x).chunk(2, dim=-1)
        return linear(self.down, self.activation(gate) * up)


class Phi3PreTrainedModel(LlamaPreTrainedModel):
    config_class = Phi3Config


class Phi3Model(Phi3PreTrainedModel, LlamaModel):
    block_class = Phi3Block


class Phi3Head(Phi3PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Phi3Model


class Phi3ForCausalLM(Phi3Head, LlamaForCausalLM):
    pass


class Phi3ForSequenceClassification(Phi3Head, heads.LastTokenClassification):
    pass


class Phi3ForTokenClassification(Phi3Head, LlamaForTokenClassification):
    pass
