"""EXAONE 4 (arXiv:2507.11407), Korean and English: OLMo 2's order; layers that see all positions do not turn."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ..nn import heads
from ..nn.context import Context
from ..nn.positions import by_rotation
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import norm_after
from .llama import (
    LayerTypesConfig,
    LlamaForCausalLM,
    LlamaForQuestionAnswering,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
    NormedHeadsBlock,
)


class Exaone4Config(LayerTypesConfig):
    """`sliding_window_pattern` says which layers slide where `layer_types` does not: 4, or "LLLG", makes each fourth
    one see all positions. Without `sliding_window` all do, and then they turn like any others."""

    model_type = "exaone4"

    vocab_size: int = 102400
    intermediate_size: int = 16384
    num_key_value_heads: int | None = 32
    rms_norm_eps: float = 1e-5
    sliding_window_pattern: str | int | None = 4
    bos_token_id: int | None = 0

    def slides(self, layer: int) -> bool:
        pattern = self.sliding_window_pattern
        if isinstance(pattern, str):
            return pattern[layer % len(pattern)] == "L" and layer < self.num_hidden_layers - 1
        return (layer + 1) % pattern != 0 if pattern else False


class Exaone4Block(NormedHeadsBlock):
    wiring = norm_after
    norm_attn, norm_mlp = At("post_attention_layernorm"), At("post_feedforward_layernorm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.turns = config.sliding_window is None or self.window is not None

    def place(self, q: Tensor, k: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        return by_rotation(self, q, k, context) if self.turns else (q, k)


class Exaone4PreTrainedModel(LlamaPreTrainedModel):
    config_class = Exaone4Config


class Exaone4Model(Exaone4PreTrainedModel, LlamaModel):
    block_class = Exaone4Block


class Exaone4Head(Exaone4PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Exaone4Model


class Exaone4ForCausalLM(Exaone4Head, LlamaForCausalLM):
    pass


class Exaone4ForSequenceClassification(Exaone4Head, heads.LastTokenClassification):
    pass


class Exaone4ForTokenClassification(Exaone4Head, LlamaForTokenClassification):
    pass


class Exaone4ForQuestionAnswering(Exaone4Head, LlamaForQuestionAnswering):
    pass
