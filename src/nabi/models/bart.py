"""BART (arXiv:1910.13461): a post-norm encoder and decoder with learned positions, two places off."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads, seq2seq
from ..nn.block import Block
from ..nn.context import Context
from ..nn.embeddings import check_length, counted_positions, tokens_or_vectors, word_vectors
from ..nn.linear import linear
from ..nn.losses import cross_entropy
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import post_norm
from ..outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    Seq2SeqModelOutput,
)

FIRST_POSITION = 2  # the first two rows of the position table are not used


class BartConfig(Config):
    model_type = "bart"
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }
    no_effect = (
        Config.no_effect
        | {"classif_dropout", "force_bos_token_to_be_generated", "extra_pos_embeddings", "save_step"}
        | {
            "max_encoder_position_embeddings",
            "max_decoder_position_embeddings",
            "kobart_version",
            "do_blenderbot_90_layernorm",
        }
        | {"student_encoder_layers", "student_decoder_layers"}
    )
    only: ClassVar[dict[str, Any]] = {  # choices that BART's relatives make otherwise
        "add_bias_logits": False,
        "add_final_layer_norm": False,
        "normalize_before": False,
        "normalize_embedding": True,
        "static_position_embeddings": False,
    }

    vocab_size: int = 50265
    max_position_embeddings: int = 1024
    encoder_layers: int = 12
    encoder_ffn_dim: int = 4096
    encoder_attention_heads: int = 16
    decoder_layers: int = 12
    decoder_ffn_dim: int = 4096
    decoder_attention_heads: int = 16
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    activation_function: str = "gelu"
    d_model: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    classifier_dropout: float = 0.0
    scale_embedding: bool = False
    is_encoder_decoder: bool = True
    num_labels: int = 3
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    decoder_start_token_id: int | None = 2


class BartBlock(Block):
    wiring = post_norm
    q, k = At("self_attn.q_proj"), At("self_attn.k_proj")
    v, o = At("self_attn.v_proj"), At("self_attn.out_proj")
    norm_attn = At("self_attn_layer_norm")
    cross_q, cross_k = At("encoder_attn.q_proj"), At("encoder_attn.k_proj")
    cross_v, cross_o = At("encoder_attn.v_proj"), At("encoder_attn.out_proj")
    norm_cross = At("encoder_attn_layer_norm")
    up, down = At("fc1"), At("fc2")
    norm_mlp = At("final_layer_norm")

    def __init__(self, config: Any, index: int, decodes: bool) -> None:
        super().__init__(
            index=index,
            hidden_size=config.d_model,
            heads=config.decoder_attention_heads if decodes else config.encoder_attention_heads,
            inner_size=config.decoder_ffn_dim if decodes else config.encoder_ffn_dim,
            norm=partial(nn.LayerNorm, config.d_model),
            activation=config.activation_function,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            inner_dropout=config.activation_dropout,
            crosses=decodes,
        )


class BartPreTrainedModel(seq2seq.Seq2SeqModel):
    config_class: ClassVar[type[Config]] = BartConfig
    base_model_prefix = "model"
    ignored_on_disk = (*PreTrainedModel.ignored_on_disk, r"(en|de)coder\.version$")

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.normal_(0.0, self.config.init_std)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()


class BartStack(BartPreTrainedModel, seq2seq.HalfStack):
    """One half of BART, and of its relatives: they say which norms there are, where positions begin, which blocks."""

    block_class: ClassVar[type[BartBlock]] = BartBlock
    first_position: ClassVar[int] = FIRST_POSITION
    word_embeddings, blocks = At("embed_tokens"), At("layers")
    norm_first: Any = At("layernorm_embedding")
    norm_last: Any = None

    def __init__(self, config: Any, decodes: bool) -> None:
        super().__init__(config)
        self.decodes = decodes
        self.skip = config.decoder_layerdrop if decodes else config.encoder_layerdrop
        self.scale = self.word_scale(config)
        self.embed_tokens = self.make_words(config)
        self.make_positions(config)
        depth = config.decoder_layers if decodes else config.encoder_layers
        self.blocks = nn.ModuleList(self.block_class(config, i, decodes) for i in range(depth))
        for role in {"norm_first", "norm_last"} & set(self.roles()):
            setattr(self, role, nn.LayerNorm(config.d_model))
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def word_scale(self, config: Any) -> float:
        return math.sqrt(config.d_model) if config.scale_embedding else 1.0

    def make_words(self, config: Any) -> Any:
        return nn.Embedding(config.vocab_size, config.d_model, config.pad_token_id)

    def make_positions(self, config: Any) -> None:
        self.embed_positions = nn.Embedding(config.max_position_embeddings + self.first_position, config.d_model)

    def positions(self, input_ids: Tensor | None, given: Tensor, past: int) -> Tensor:
        """(batch or 1, length, hidden): what stands for the positions of the new tokens."""
        check_length(past + given.shape[1], self.config.max_position_embeddings)
        return self.embed_positions(counted_positions(given.shape[1], past + self.first_position, given.device))

    def embed(self, input_ids: Tensor | None, given: Tensor, context: Context) -> Tensor:
        positions = self.positions(input_ids, given, context.past)
        x = word_vectors(self.embed_tokens, input_ids, given) * (1.0 if input_ids is None else self.scale) + positions
        return self.dropout(self.norm_first(x) if self.norm_first is not None else x)

    def finish(self, x: Tensor) -> Tensor:
        return self.norm_last(x) if self.norm_last is not None else x


class BartBodied(BartPreTrainedModel):
    """The shared words and the two stacks."""

    stack_class: ClassVar[type[BartStack]] = BartStack
    word_embeddings = At("shared")
    ties: ClassVar[dict[str, str]] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model, config.pad_token_id)
        self.encoder = self.stack_class(config, decodes=False)
        self.decoder = self.stack_class(config, decodes=True)
        self.post_init()

    def forward(self, *args: Any, **inputs: Any) -> Seq2SeqModelOutput:
        """The decoder's last_hidden_state (batch, target length, hidden); inputs as in nn.seq2seq.run_seq2seq."""
        return seq2seq.run_seq2seq(self, *args, **inputs)


class BartModel(BartBodied):
    def forward(self, *args: Any, **inputs: Any) -> Seq2SeqModelOutput:
        """As BartBodied.forward.

        Without a target the source is its own target, one place later, as in BART's pre-training.
        """
        source = args[0] if args else inputs.get("input_ids")
        if source is not None and len(args) < 3 and seq2seq.lacks_target(inputs):
            inputs["decoder_input_ids"] = self.shift_right(tokens_or_vectors(source, None))
        return super().forward(*args, **inputs)


class BartHead(BartPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = BartModel


class BartForConditionalGeneration(BartHead, seq2seq.Seq2SeqLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "model.shared.weight"}
    output_embeddings = At("lm_head")
    final_logits_bias: Tensor

    def build(self, config: Any) -> None:
        super().build(config)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))

    def score_tokens(self, x: Tensor) -> Tensor:
        return linear(self.output_embeddings, x) + self.final_logits_bias

    def unstored_weights(self) -> set[str]:
        return {"final_logits_bias"}

    def _resize_rest(self, count: int) -> None:
        old: Tensor = self.final_logits_bias
        new = old.new_zeros(1, count)
        new[:, : min(count, old.shape[1])] = old[:, :count]
        self.final_logits_bias = new


class BartForSequenceClassification(BartHead, seq2seq.Seq2SeqClassification):
    pass


class BartForQuestionAnswering(BartHead, seq2seq.Seq2SeqQuestionAnswering):
    pass


class BartDecoderWrapper(BartPreTrainedModel):
    """The decoder alone, under the name that it has beside an encoder."""

    decoder_class: ClassVar[Callable[..., PreTrainedModel]] = staticmethod(partial(BartStack, decodes=True))
    word_embeddings = At("decoder.embed_tokens")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.decoder = self.decoder_class(config)
        self.post_init()

    def forward(self, *args: Any, **inputs: Any) -> BaseModelOutputWithPastAndCrossAttentions:
        return self.decoder(*args, return_dict=True, **inputs)


class BartForCausalLM(BartPreTrainedModel, heads.CausalLM):
    body_class: ClassVar[type[PreTrainedModel]] = BartDecoderWrapper
    renames = ((r"^(model\.)?shared\.weight$", "model.decoder.embed_tokens.weight"),)  # from a file of both halves
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "model.decoder.embed_tokens.weight"}
    output_embeddings = At("lm_head")
    output_class = CausalLMOutputWithCrossAttentions
    label_loss = staticmethod(cross_entropy)  # BART's labels are shifted by the caller

    def __init__(self, config: Any) -> None:
        alone = copy.deepcopy(config)
        alone.update({"is_decoder": True, "is_encoder_decoder": False})
        super().__init__(alone)
