"""Mixtral (arXiv:2401.04088): LLaMA's attention; in place of the MLP, two of several experts for each token."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..nn import heads
from ..nn.context import Context
from ..nn.experts import Experts, balance_loss, route, routed
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..outputs import MoeCausalLMOutputWithPast, MoeModelOutputWithPast
from .llama import (
    DecoderConfig,
    LlamaBlock,
    LlamaForCausalLM,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
)


class MixtralConfig(DecoderConfig):
    model_type = "mixtral"
    aliases = {**DecoderConfig.aliases, "num_experts": "num_local_experts"}

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 4096 * 32
    rms_norm_eps: float = 1e-5
    rope_theta: float = 1e6
    sliding_window: int | None = None
    num_experts_per_tok: int = 2
    num_local_experts: int = 8
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    router_jitter_noise: float = 0.0

    def window(self, layer: int) -> int | None:
        return self.sliding_window


class MixtralBlock(LlamaBlock):
    gate = up = down = None
    router = At("block_sparse_moe.gate")
    experts = At("block_sparse_moe.experts")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.router = nn.Linear(config.hidden_size, config.num_local_experts, bias=False)
        self.experts = Experts(
            config.num_local_experts,
            config.hidden_size,
            config.intermediate_size,
            config.hidden_act,
            names=("w1", "w3", "w2"),
        )
        self.experts_per_token = config.num_experts_per_tok
        self.jitter = config.router_jitter_noise

    def feed(self, x: Tensor, context: Context) -> Tensor:
        """Each token through the experts that the router picks."""
        if self.training and self.jitter:
            x = x * torch.empty_like(x).uniform_(1 - self.jitter, 1 + self.jitter)
        return routed(self, x, context)

    def route(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        return route(logits, self.experts_per_token)


class MixtralPreTrainedModel(LlamaPreTrainedModel):
    config_class: ClassVar[Any] = MixtralConfig

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, Experts):
            module.gate_up.normal_(0.0, self.config.initializer_range)
            module.down.normal_(0.0, self.config.initializer_range)


class MixtralModel(MixtralPreTrainedModel, LlamaModel):
    block_class: ClassVar[Any] = MixtralBlock

    def forward(self, *args: Any, output_router_logits: bool | None = None, **inputs: Any) -> MoeModelOutputWithPast:
        """As any decoder's; router_logits, per layer (tokens, experts), if output_router_logits."""
        x, context = self.run(*args, **inputs)
        wanted = self.config.output_router_logits if output_router_logits is None else output_router_logits
        return MoeModelOutputWithPast(
            last_hidden_state=x,
            past_key_values=context.cache,
            router_logits=tuple(context.router_logits) if wanted else None,
            **context.collected(),
        )


class MixtralHead(MixtralPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = MixtralModel


class MixtralForCausalLM(MixtralHead, LlamaForCausalLM):
    output_class = MoeCausalLMOutputWithPast

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> MoeCausalLMOutputWithPast:
        """As any CausalLM's; with router logits the loss includes router_aux_loss_coef times the balance loss."""
        out = super().forward(*args, labels=labels, **inputs)
        if out.router_logits is not None:
            mask = args[1] if len(args) > 1 else inputs.get("attention_mask")
            mask = None if mask is None else mask[:, -(len(out.router_logits[0]) // len(mask)) :]  # of the new tokens
            out.aux_loss = balance_loss(out.router_logits, self.config.num_experts_per_tok, mask)
            if labels is not None:
                out.loss = out.loss + self.config.router_aux_loss_coef * out.aux_loss
        return out


class MixtralForSequenceClassification(MixtralHead, heads.LastTokenClassification):
    def forward(self, *args: Any, **inputs: Any) -> Any:
        inputs["output_router_logits"] = False  # its output has no place for them
        return super().forward(*args, **inputs)


class MixtralForTokenClassification(MixtralHead, LlamaForTokenClassification):
    pass


class MixtralForQuestionAnswering(MixtralHead, heads.QuestionAnswering):
    pass
