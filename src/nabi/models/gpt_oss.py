"""gpt-oss (arXiv:2508.10925): experts with clamped gates; each head may look at a sink, which holds nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..nn import attention
from ..nn.block import Block
from ..nn.experts import route, routed
from ..nn.linear import multiply
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from .llama import LayerTypesConfig, LlamaBlock, LlamaForTokenClassification
from .mixtral import MixtralForCausalLM, MixtralForSequenceClassification, MixtralModel, MixtralPreTrainedModel

YARN = {
    "rope_type": "yarn",
    "factor": 32.0,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "truncate": False,
    "original_max_position_embeddings": 4096,
}


class GptOssConfig(LayerTypesConfig):
    model_type = "gpt_oss"
    aliases = {**LayerTypesConfig.aliases, "num_experts": "num_local_experts"}
    no_effect = LayerTypesConfig.no_effect | {"initial_context_length", "experts_per_token"}

    vocab_size: int = 201088
    hidden_size: int = 2880
    intermediate_size: int = 2880
    num_hidden_layers: int = 36
    num_attention_heads: int = 64
    num_key_value_heads: int | None = 8
    head_dim: int | None = 64
    max_position_embeddings: int = 131072
    rope_theta: float = 150000.0
    rope_scaling: dict[str, Any] | None = YARN
    rms_norm_eps: float = 1e-5
    attention_bias: bool = True
    sliding_window: int | None = 128
    num_local_experts: int = 128
    num_experts_per_tok: int = 4
    swiglu_alpha: float = 1.702
    swiglu_limit: float = 7.0
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    @property
    def output_bias(self) -> bool:
        return self.attention_bias

    def check(self) -> None:
        super().check()
        self.require("hidden_act", ("silu",), "its gate is swiglu_alpha's")


class GptOssExperts(nn.Module):
    """Gated MLPs with biases, fused on disk too; gate and up alternate in one matrix."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        count, size, inner = config.num_local_experts, config.hidden_size, config.intermediate_size
        self.gate_up_proj = nn.Parameter(torch.empty(count, size, 2 * inner))
        self.gate_up_proj_bias = nn.Parameter(torch.zeros(count, 2 * inner))
        self.down_proj = nn.Parameter(torch.empty(count, inner, size))
        self.down_proj_bias = nn.Parameter(torch.zeros(count, size))
        self.alpha, self.limit = config.swiglu_alpha, config.swiglu_limit

    def forward(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """x (tokens, hidden); weights and chosen (tokens, experts per token) -> (tokens, hidden)"""
        out = torch.zeros_like(x)
        for expert in chosen.unique().tolist():
            token, rank = torch.where(chosen == expert)
            both = multiply(x[token], self.gate_up_proj[expert].t(), self.gate_up_proj_bias[expert])
            gate = both[..., ::2].clamp(max=self.limit)
            up = both[..., 1::2].clamp(-self.limit, self.limit)
            y = (up + 1) * gate * torch.sigmoid(gate * self.alpha)
            y = multiply(y, self.down_proj[expert].t(), self.down_proj_bias[expert])
            out = out.index_add(0, token, (y * weights[token, rank, None]).to(out.dtype))
        return out


def mix_with_sinks(
    block: Block,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    bias: Tensor | None = None,
    *,
    causal: bool = False,
    explicit: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """As attention.mix; each head's softmax runs over one score more, which no value answers to."""
    k, v = attention.repeat_heads(k, q.shape[1]), attention.repeat_heads(v, q.shape[1])
    scores = attention.masked(attention.score(block, q, k, bias), mask)
    sinks = block.sinks[:, None, None].expand(*scores.shape[:-1], 1)
    weights = torch.softmax(torch.cat((scores, sinks), dim=-1), dim=-1)[..., :-1]
    weights = F.dropout(weights, block.attention_dropout, block.training)
    return weights @ v, weights


class GptOssBlock(LlamaBlock):
    feed = routed
    mix = mix_with_sinks
    gate = up = down = None
    sinks = At("self_attn.sinks")
    router = At("mlp.router")
    experts = At("mlp.experts")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.sinks = nn.Parameter(torch.empty(config.num_attention_heads))
        self.router = nn.Linear(config.hidden_size, config.num_local_experts)
        self.experts = GptOssExperts(config)
        self.experts_per_token = config.num_experts_per_tok

    def route(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        return route(logits, self.experts_per_token)


class GptOssPreTrainedModel(MixtralPreTrainedModel):
    config_class = GptOssConfig

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        std = self.config.initializer_range
        if isinstance(module, GptOssExperts):
            for name, parameter in module.named_parameters():
                parameter.zero_() if name.endswith("bias") else parameter.normal_(0.0, std)
        elif isinstance(module, GptOssBlock):
            for parameter in (module.sinks, module.router.bias):
                if not parameter.is_meta:
                    parameter.normal_(0.0, std)


class GptOssModel(GptOssPreTrainedModel, MixtralModel):
    block_class = GptOssBlock
    biased = True  # the mask is written out: the sink's score stands beside it


class GptOssHead(GptOssPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GptOssModel


class GptOssForCausalLM(GptOssHead, MixtralForCausalLM):
    pass


class GptOssForSequenceClassification(GptOssHead, MixtralForSequenceClassification):
    pass


class GptOssForTokenClassification(GptOssHead, LlamaForTokenClassification):
    pass
