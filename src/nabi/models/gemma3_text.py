"""Gemma 3 (arXiv:2503.19786), its text model: each head's queries and keys normalised, no caps, near and far angles."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ..nn import heads
from ..nn.attention import normed_heads
from ..nn.context import Context
from ..nn.embeddings import places
from ..nn.positions import rotary_table
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from .gemma import GemmaModel, GemmaRMSNorm
from .gemma2 import Gemma2Block, Gemma2Config, Gemma2ForCausalLM, Gemma2PreTrainedModel


class Gemma3TextConfig(Gemma2Config):
    """The layers that see all positions turn by `rope_theta` and `rope_scaling`, those with a window by
    `rope_local_base_freq`. Without `layer_types` each `sliding_window_pattern`-th layer sees all."""

    model_type = "gemma3_text"
    no_effect = Gemma2Config.no_effect | {"_sliding_window_pattern"}
    only: ClassVar[dict[str, Any]] = {}

    vocab_size: int = 262208
    max_position_embeddings: int = 131072
    rope_theta: float = 1e6
    rope_local_base_freq: float = 10000.0
    sliding_window_pattern: int = 6
    use_bidirectional_attention: bool | None = False
    final_logit_softcapping: float | None = None
    attn_logit_softcapping: float | None = None

    def __init__(self, **keys: Any) -> None:
        kinds = keys.get("rope_parameters") or {}
        if "full_attention" in kinds or "sliding_attention" in kinds:
            near = kinds.get("sliding_attention") or {}
            if near.get("rope_type", "default") != "default":
                raise ValueError(
                    f"config key 'rope_parameters' scales the angles of sliding layers by {near['rope_type']!r}; only "
                    "those of full attention can be scaled"
                )
            keys["rope_parameters"] = kinds.get("full_attention")
            if "rope_theta" in near:
                keys["rope_local_base_freq"] = near["rope_theta"]
        super().__init__(**keys)

    def slides(self, layer: int) -> bool:
        return (layer + 1) % self.sliding_window_pattern != 0

    def window(self, layer: int) -> int | None:
        window = super().window(layer)
        return window // 2 + 1 if window and self.use_bidirectional_attention else window

    def check(self) -> None:
        super().check()
        self.require("attn_logit_softcapping", (None,), "Gemma 3 does not cap its scores")


class Gemma3TextBlock(Gemma2Block):
    project = normed_heads
    head_norm_q, head_norm_k = At("self_attn.q_norm"), At("self_attn.k_norm")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.head_norm_q = GemmaRMSNorm(config.head_dim, config.rms_norm_eps)
        self.head_norm_k = GemmaRMSNorm(config.head_dim, config.rms_norm_eps)


class Gemma3PreTrainedModel(Gemma2PreTrainedModel):
    config_class = Gemma3TextConfig


class Gemma3TextModel(Gemma3PreTrainedModel, GemmaModel):
    block_class = Gemma3TextBlock

    @property
    def causal(self) -> bool:
        return not self.config.use_bidirectional_attention

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        config = self.config
        position_ids = places(position_ids, words, context.past)
        near = {"rope_theta": config.rope_local_base_freq}
        context.rotary_near = rotary_table(position_ids, config.rotary_size, near, words.dtype)
        return super().embed(words, position_ids, attention_mask, context)


class Gemma3TextHead(Gemma3PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Gemma3TextModel


class Gemma3ForCausalLM(Gemma3TextHead, Gemma2ForCausalLM):
    pass


class Gemma3TextForSequenceClassification(Gemma3TextHead, heads.LastTokenClassification):
    pass
