"""BLOOM (arXiv:2211.05100): a decoder whose scores fall with the distance (ALiBi); the words are normalised first."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import self_attention, thirds_of_heads
from ..nn.block import Block, ConfigBlock
from ..nn.context import Context
from ..nn.masks import combine
from ..nn.positions import linear_biases
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm
from .gpt2 import PastFirstDecoder


class BloomConfig(Config):
    model_type = "bloom"
    aliases = {
        "num_hidden_layers": "n_layer",
        "num_attention_heads": "n_head",
        "n_embed": "hidden_size",
        "layer_norm_eps": "layer_norm_epsilon",
        "hidden_dropout_prob": "hidden_dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    # the first two: the same sums in another order
    no_effect = Config.no_effect | {
        *("pretraining_tp", "slow_but_exact", "attention_softmax_in_fp32", "bias_dropout_fusion"),
        *("masked_softmax_fusion", "offset_alibi", "skip_bias_add", "skip_bias_add_qkv", "n_inner"),
    }

    vocab_size: int = 250880
    hidden_size: int = 64
    n_layer: int = 2
    n_head: int = 8
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    apply_residual_connection_post_layernorm: bool = False
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2


class BloomBlock(ConfigBlock):
    wiring = pre_norm
    project = thirds_of_heads
    norm_attn = At("input_layernorm")
    qkv, o = At("self_attention.query_key_value"), At("self_attention.dense")
    norm_mlp = At("post_attention_layernorm")
    up, down = At("mlp.dense_h_to_4h"), At("mlp.dense_4h_to_h")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            inner_size=4 * config.hidden_size,
            activation="gelu_new",
        )


def normed_stream(block: Block, x: Tensor, context: Context) -> Tensor:
    """As pre_norm, but what runs through is normalised too."""
    x = block.norm_attn(x)
    x = block.norm_mlp(x + block.dropout(self_attention(block, x, context)))
    return x + block.dropout(block.feed(x, context))


class BloomNormedStreamBlock(BloomBlock):
    wiring = normed_stream


def add_linear_biases(
    context: Context, x: Tensor, attention_mask: Tensor | None, heads: int, scale: float, dtype: torch.dtype
) -> None:
    """Put the biases of x's positions, times `scale`, into the context's mask. Positions count real tokens only."""
    if attention_mask is None or attention_mask.dim() != 2:
        attention_mask = torch.ones(x.shape[0], context.past + x.shape[1], device=x.device, dtype=torch.long)
    positions = (attention_mask.long().cumsum(-1) - 1) * attention_mask.long()
    context.mask = combine(context.mask, linear_biases(heads, positions, dtype).to(x.dtype) * scale)


class BloomPreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = BloomConfig
    base_model_prefix = "transformer"


class BloomModel(PastFirstDecoder, BloomPreTrainedModel):
    word_embeddings = At("word_embeddings")
    blocks = At("h")
    final_norm = At("ln_f")
    biased = True

    @staticmethod
    def block_class(config: Any, index: int) -> Block:
        normed = config.apply_residual_connection_post_layernorm
        return (BloomNormedStreamBlock if normed else BloomBlock)(config, index)

    def build(self, config: Any) -> None:
        self.word_embeddings_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        add_linear_biases(context, words, attention_mask, self.config.n_head, 1.0, torch.float32)
        return self.word_embeddings_layernorm(words)


class BloomHead(BloomPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = BloomModel


class BloomForCausalLM(BloomHead, heads.CausalLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "transformer.word_embeddings.weight"}
    output_embeddings = At("lm_head")


class BloomForSequenceClassification(BloomHead, heads.LastTokenClassification):
    pass


class BloomForTokenClassification(BloomHead, heads.TokenClassification):
    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout if config.classifier_dropout is None else config.classifier_dropout


class BloomForQuestionAnswering(BloomHead, heads.QuestionAnswering):
    pass
