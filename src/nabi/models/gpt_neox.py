"""GPT-NeoX (arXiv:2204.06745), of Pythia and Polyglot-Ko: attention and MLP side by side, each with its norm."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from ..nn import heads
from ..nn.attention import thirds_of_heads
from ..nn.block import Block, ConfigBlock
from ..nn.decoder import RotaryDecoder
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import parallel_norms, pre_norm
from .llama import RopeConfig


class GPTNeoXConfig(RopeConfig):
    model_type = "gpt_neox"
    no_effect = RopeConfig.no_effect | {"num_steps"}  # how long it was trained
    aliases = {
        "rope_theta": "rotary_emb_base",
        "partial_rotary_factor": "rotary_pct",
        "hidden_dropout_prob": "hidden_dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }

    vocab_size: int = 50432
    hidden_size: int = 6144
    num_hidden_layers: int = 44
    num_attention_heads: int = 64
    intermediate_size: int = 24576
    hidden_act: str = "gelu"
    attention_dropout: float = 0.0
    hidden_dropout: float = 0.0
    classifier_dropout: float = 0.1
    rotary_pct: float = 0.25
    rotary_emb_base: float = 10000.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    tie_word_embeddings: bool = False
    use_parallel_residual: bool = True
    attention_bias: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2

    @property
    def rotary_size(self) -> int:
        return int(self.hidden_size // self.num_attention_heads * self.rotary_pct)


class GPTNeoXBlock(ConfigBlock):
    wiring = parallel_norms
    project = thirds_of_heads
    norm_attn = At("input_layernorm")
    qkv, o = At("attention.query_key_value"), At("attention.dense")
    norm_mlp = At("post_attention_layernorm")
    up, down = At("mlp.dense_h_to_4h"), At("mlp.dense_4h_to_h")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            attention_bias=config.attention_bias,
            output_bias=config.attention_bias,
        )


class GPTNeoXSequentialBlock(GPTNeoXBlock):
    wiring = pre_norm


class GPTNeoXPreTrainedModel(PreTrainedModel):
    config_class = GPTNeoXConfig
    base_model_prefix = "gpt_neox"
    ignored_on_disk = (
        *PreTrainedModel.ignored_on_disk,
        r"attention\.(masked_)?bias$",
        r"attention\.rotary_emb\.inv_freq$",
    )


class GPTNeoXModel(RotaryDecoder, GPTNeoXPreTrainedModel):
    dropout_key = "hidden_dropout"
    word_embeddings = At("embed_in")
    blocks = At("layers")
    final_norm = At("final_layer_norm")

    @staticmethod
    def block_class(config: Any, index: int) -> Block:
        return (GPTNeoXBlock if config.use_parallel_residual else GPTNeoXSequentialBlock)(config, index)

    def make_words(self, config: Any) -> nn.Module:
        return nn.Embedding(config.vocab_size, config.hidden_size)


class GPTNeoXHead(GPTNeoXPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GPTNeoXModel


class GPTNeoXForCausalLM(GPTNeoXHead, heads.CausalLM):
    ties: ClassVar[dict[str, str]] = {"embed_out.weight": "gpt_neox.embed_in.weight"}
    output_embeddings = At("embed_out")


class GPTNeoXForSequenceClassification(GPTNeoXHead, heads.LastTokenClassification):
    pass


class GPTNeoXForTokenClassification(GPTNeoXHead, heads.TokenClassification):
    pass


class GPTNeoXForQuestionAnswering(GPTNeoXHead, heads.QuestionAnswering):
    pass
