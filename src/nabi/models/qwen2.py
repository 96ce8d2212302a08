"""Qwen2 (arXiv:2407.10671): LLaMA with biases on queries, keys and values; later layers may see a window only."""

from __future__ import annotations

from typing import ClassVar

from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from .llama import (
    LayerTypesConfig,
    LlamaForCausalLM,
    LlamaForQuestionAnswering,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
)


class Qwen2Config(LayerTypesConfig):
    """Without `layer_types` the layers from `max_window_layers` on slide, if `use_sliding_window`."""

    model_type = "qwen2"
    attention_bias = True
    only = {"use_mrope": False}
    # how other libraries attend to more than the 256 thousand tokens of its training; up to there it is the same
    no_effect = LayerTypesConfig.no_effect | {"dual_chunk_attention_config"}

    vocab_size: int = 151936
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 32768
    use_sliding_window: bool = False
    max_window_layers: int = 28
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    def slides(self, layer: int) -> bool:
        return layer >= self.max_window_layers

    def check(self) -> None:
        if not self.use_sliding_window:
            self.sliding_window = None
        super().check()


class Qwen2PreTrainedModel(LlamaPreTrainedModel):
    config_class = Qwen2Config


class Qwen2Model(Qwen2PreTrainedModel, LlamaModel):
    pass


class Qwen2Head(Qwen2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = Qwen2Model


class Qwen2ForCausalLM(Qwen2Head, LlamaForCausalLM):
    pass


class Qwen2ForSequenceClassification(Qwen2Head, heads.LastTokenClassification):
    pass


class Qwen2ForTokenClassification(Qwen2Head, LlamaForTokenClassification):
    pass


class Qwen2ForQuestionAnswering(Qwen2Head, LlamaForQuestionAnswering):
    pass
