"""Qwen2 (arXiv:2407.10671): LLaMA with biases on queries, keys and values; later layers may see a window only."""

from __future__ import annotations

from typing import ClassVar

from ..nn import heads
from ..nn.pretrained import PreTrainedModel
from .llama import (
    DecoderConfig,
    LlamaForCausalLM,
    LlamaForQuestionAnswering,
    LlamaForTokenClassification,
    LlamaModel,
    LlamaPreTrainedModel,
)


class Qwen2Config(DecoderConfig):
    """`layer_types` names each layer "full_attention" or "sliding_attention"; where it is not given, the layers from
    `max_window_layers` on slide if `use_sliding_window`."""

    model_type = "qwen2"
    attention_bias = True
    only = {"use_mrope": False}

    vocab_size: int = 151936
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 32768
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    layer_types: list[str] | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    def window(self, layer: int) -> int | None:
        return self.sliding_window if (self.layer_types or [])[layer] == "sliding_attention" else None

    def check(self) -> None:
        super().check()
        if not self.use_sliding_window:
            self.sliding_window = None
        if self.layer_types is None:
            first = self.max_window_layers if self.sliding_window is not None else self.num_hidden_layers
            full = min(first, self.num_hidden_layers)
            self.layer_types = ["full_attention"] * full + ["sliding_attention"] * (self.num_hidden_layers - full)
        unknown = set(self.layer_types) - {"full_attention", "sliding_attention"}
        if unknown or len(self.layer_types) != self.num_hidden_layers:
            raise ValueError(
                f"config key 'layer_types' is {self.layer_types!r}; expected 'full_attention' or 'sliding_attention' "
                f"for each of the {self.num_hidden_layers} layers"
            )


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
