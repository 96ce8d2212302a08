"""Qwen3 with experts (arXiv:2505.09388): Qwen3's attention; in most layers a few of many small MLPs for each token."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ..nn.block import Block
from ..nn.experts import Experts, route, routed
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from .llama import DecoderConfig, LlamaForQuestionAnswering, LlamaForTokenClassification, NormedHeadsBlock
from .mixtral import MixtralForCausalLM, MixtralForSequenceClassification, MixtralModel, MixtralPreTrainedModel


class Qwen3MoeConfig(DecoderConfig):
    """Layers have experts but for those in `mlp_only_layers`, and only each `decoder_sparse_step`-th."""

    model_type = "qwen3_moe"
    aliases = {**DecoderConfig.aliases, "num_local_experts": "num_experts"}
    no_effect = DecoderConfig.no_effect | {"max_window_layers"}

    vocab_size: int = 151936
    hidden_size: int = 2048
    intermediate_size: int = 6144
    num_hidden_layers: int = 24
    num_key_value_heads: int | None = 4
    max_position_embeddings: int = 32768
    attention_bias: bool = False
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    decoder_sparse_step: int = 1
    moe_intermediate_size: int = 768
    num_experts_per_tok: int = 8
    num_experts: int = 128
    norm_topk_prob: bool = False
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    mlp_only_layers: list[int] | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    @property
    def output_bias(self) -> bool:
        return self.attention_bias

    def window(self, layer: int) -> int | None:
        return self.sliding_window if self.use_sliding_window else None

    def has_experts(self, layer: int) -> bool:
        return layer not in (self.mlp_only_layers or ()) and (layer + 1) % self.decoder_sparse_step == 0


class Qwen3MoeBlock(NormedHeadsBlock):
    feed = routed
    gate = up = down = None
    router = At("mlp.gate")
    experts = At("mlp.experts")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.router = nn.Linear(config.hidden_size, config.num_experts, bias=False)
        self.experts = Experts(
            config.num_experts,
            config.hidden_size,
            config.moe_intermediate_size,
            config.hidden_act,
            names=("gate_proj", "up_proj", "down_proj"),
        )
        self.experts_per_token, self.whole = config.num_experts_per_tok, config.norm_topk_prob

    def route(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        return route(logits, self.experts_per_token, self.whole)


class Qwen3MoePreTrainedModel(MixtralPreTrainedModel):
    config_class = Qwen3MoeConfig


class Qwen3MoeModel(Qwen3MoePreTrainedModel, MixtralModel):
    @staticmethod
    def block_class(config: Any, index: int) -> Block:
        return (Qwen3MoeBlock if config.has_experts(index) else NormedHeadsBlock)(config, index)


class Qwen3MoeHead(Qwen3MoePreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Qwen3MoeModel


class Qwen3MoeForCausalLM(Qwen3MoeHead, MixtralForCausalLM):
    pass


class Qwen3MoeForSequenceClassification(Qwen3MoeHead, MixtralForSequenceClassification):
    pass


class Qwen3MoeForTokenClassification(Qwen3MoeHead, LlamaForTokenClassification):
    pass


class Qwen3MoeForQuestionAnswering(Qwen3MoeHead, LlamaForQuestionAnswering):
    pass
