"""DeBERTa v2 and v3 (arXiv:2006.03654, arXiv:2111.09543): attention that also scores how far apart two tokens stand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import split_heads
from ..nn.block import ConfigBlock
from ..nn.context import Context, open_context
from ..nn.embeddings import check_fit, check_length, look_up, places, tokens_or_vectors, word_vectors
from ..nn.linear import multiply
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..nn.wiring import post_norm
from ..outputs import BaseModelOutput, ModelOutput
from .bert import BertPreTrainedModel, EncoderConfig


class DisentangledConfig(EncoderConfig):
    """The keys that both versions share."""

    # Settings of its own pre-training and of heads that no checkpoint here has.
    no_effect = Config.no_effect | {"hidden_dropout", "padding_idx", "model_name"}
    position_buckets = -1  # a key of the second version

    vocab_size: int = 50265
    embedding_size: int | None = None
    type_vocab_size: int = 0
    layer_norm_eps: float = 1e-7
    relative_attention: bool = False
    max_relative_positions: int = -1
    pos_att_type: str | list[str] | None = None
    position_biased_input: bool = True
    pooler_hidden_size: int | None = None
    pooler_dropout: float = 0.0
    pooler_hidden_act: str = "gelu"
    cls_dropout: float | None = None
    legacy: bool = True
    pad_token_id: int | None = 0

    def check(self) -> None:
        super().check()
        if isinstance(self.pos_att_type, str):
            self.pos_att_type = [kind.strip() for kind in self.pos_att_type.lower().split("|") if kind.strip()]
        unknown = set(self.pos_att_type or ()) - {"c2p", "p2c"}
        if unknown:
            raise ValueError(f"config key 'pos_att_type' holds {sorted(unknown)}; nabi computes 'c2p' and 'p2c'")

    @property
    def farthest(self) -> int:
        """The greatest distance that is told apart, before bucketing."""
        return self.max_relative_positions if self.max_relative_positions > 0 else self.max_position_embeddings

    @property
    def span(self) -> int:
        """How many distances there are on each side."""
        return self.position_buckets if self.position_buckets > 0 else self.farthest


class DebertaV2Config(DisentangledConfig):
    model_type = "deberta-v2"

    vocab_size: int = 128100
    hidden_size: int = 1536
    num_hidden_layers: int = 24
    num_attention_heads: int = 24
    attention_head_size: int | None = None
    intermediate_size: int = 6144
    position_buckets: int = -1
    norm_rel_ebd: str = "none"
    share_att_key: bool = False
    conv_kernel_size: int = 0
    conv_groups: int = 1
    conv_act: str = "tanh"


def distances(length: int, config: Any, device: torch.device) -> Tensor:
    """(length, length): the row of the table of distances that stands for query - key, near ones exactly."""
    places = torch.arange(length, device=device)
    distance = places[:, None] - places[None]
    if config.position_buckets > 0:
        exact = config.position_buckets // 2
        far = torch.log(distance.abs().clamp(min=1) / exact) / math.log((config.farthest - 1) / exact)
        bucket = torch.ceil(far * (exact - 1)).long() + exact
        distance = torch.where(distance.abs() <= exact, distance, bucket * distance.sign())
    return (distance + config.span).clamp(0, 2 * config.span - 1)


class DebertaV2Block(ConfigBlock):
    wiring = post_norm
    q, k, v = At("attention.self.query_proj"), At("attention.self.key_proj"), At("attention.self.value_proj")
    pos_k, pos_q = At("attention.self.pos_key_proj"), At("attention.self.pos_query_proj")
    o = At("attention.output.dense")
    norm_attn = At("attention.output.LayerNorm")
    up, down = At("intermediate.dense"), At("output.dense")
    norm_mlp = At("output.LayerNorm")

    def __init__(self, config: Any, index: int) -> None:
        kinds = config.pos_att_type or ()
        head_size = config.attention_head_size or config.hidden_size // config.num_attention_heads
        super().__init__(
            config,
            index,
            head_size=head_size,
            scale=(head_size * (1 + len(kinds))) ** -0.5,
        )
        self.kinds = kinds
        if config.relative_attention and not config.share_att_key:
            inside = config.num_attention_heads * head_size
            if "c2p" in kinds:
                self.pos_k = nn.Linear(config.hidden_size, inside)
            if "p2c" in kinds:
                self.pos_q = nn.Linear(config.hidden_size, inside)

    def score_bias(self, q: Tensor, k: Tensor, context: Context) -> Tensor | None:
        """Content against distance (c2p) and distance against content (p2c): (batch, heads, queries, keys)."""
        if context.relative is None or not self.kinds:
            return None
        table, rows = context.relative  # (2 span, hidden); (queries, keys)
        table = self.dropout(table)[None]
        rows = rows.expand(*q.shape[:2], *rows.shape)
        bias: Any = 0
        if "c2p" in self.kinds:
            far_k = split_heads((self.pos_k or self.k)(table), self.head_size)
            bias = (q @ far_k.transpose(-1, -2)).gather(-1, rows)
        if "p2c" in self.kinds:
            far_q = split_heads((self.pos_q or self.q)(table), self.head_size)
            bias = bias + (k @ far_q.transpose(-1, -2)).gather(-1, rows.transpose(-1, -2)).transpose(-1, -2)
        return bias * self.scale


class DebertaV2Embeddings(nn.Module):
    """words, perhaps positions and segments -> perhaps a projection -> norm; padding is set to zero."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        size = config.embedding_size or config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.position_embeddings = (
            nn.Embedding(config.max_position_embeddings, size) if config.position_biased_input else None
        )
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size) if config.type_vocab_size else None
        self.embed_proj = nn.Linear(size, config.hidden_size, bias=False) if size != config.hidden_size else None
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, x: Tensor, token_type_ids: Tensor | None, position_ids: Tensor | None, real: Tensor | None
    ) -> Tensor:
        """x (batch, length, size) word vectors; real (batch, length), 0 at padding."""
        if self.position_embeddings is not None:
            check_length(x.shape[1], self.position_embeddings.num_embeddings)
            x = x + look_up(self.position_embeddings, places(position_ids, x), "position_ids")
        if self.token_type_embeddings is not None:
            if token_type_ids is None:
                token_type_ids = torch.zeros(x.shape[:2], dtype=torch.long, device=x.device)
            check_fit("token_type_ids", token_type_ids, x)
            x = x + look_up(self.token_type_embeddings, token_type_ids, "token_type_ids")
        x = x if self.embed_proj is None else self.embed_proj(x)
        x = self.LayerNorm(x)
        if real is not None:
            x = x * real[..., None].to(x.dtype)
        return self.dropout(x)


class ConvLayer(nn.Module):
    """A convolution of the embeddings, added to what the first block made of them."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        size, width = config.hidden_size, config.conv_kernel_size
        self.conv = nn.Conv1d(size, size, width, padding=(width - 1) // 2, groups=config.conv_groups)
        self.LayerNorm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.activation = activation_function(config.conv_act)

    def forward(self, before: Tensor, after: Tensor, real: Tensor | None) -> Tensor:
        x = self.conv(before.transpose(1, 2)).transpose(1, 2)
        if real is not None:
            x = x * real[..., None].to(x.dtype)
        x = self.LayerNorm(after + self.activation(self.dropout(x)))
        return x if real is None else x * real[..., None].to(x.dtype)


class DebertaV2PreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = DebertaV2Config
    base_model_prefix = "deberta"
    renames = BertPreTrainedModel.renames
    ignored_on_disk = (
        *PreTrainedModel.ignored_on_disk,
        r"^mask_predictions\.",
        r"embeddings\.position_embeddings\.",  # where a config has no positions of its own, its file may have some
        r"word_embeddings\._weight$",
    )


class DebertaV2Model(DebertaV2PreTrainedModel):
    block_class: ClassVar[type[DebertaV2Block]] = DebertaV2Block
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("encoder.layer")
    table = At("encoder.rel_embeddings")
    table_norm = At("encoder.LayerNorm")
    conv = At("encoder.conv")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.embeddings = DebertaV2Embeddings(config)
        self.blocks = nn.ModuleList(self.block_class(config, i) for i in range(config.num_hidden_layers))
        if config.relative_attention:
            self.table = nn.Embedding(2 * config.span, config.hidden_size)
        if "layer_norm" in config.norm_rel_ebd:
            self.table_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        if config.conv_kernel_size:
            self.conv = ConvLayer(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """last_hidden_state (batch, length, hidden); attention_mask (batch, length), or (batch, 1, length, length)."""
        given = tokens_or_vectors(input_ids, inputs_embeds)
        context = open_context(
            self.config,
            given,
            causal=False,
            attention_mask=attention_mask,
            packs=self.training and self.conv is None,  # which sees neighbours
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        if context.mask is not None and attention_mask is not None and attention_mask.dim() == 2:
            context.mask = context.mask & context.mask.transpose(-1, -2)  # padding sees nothing either
            context.explicit = True
        x = word_vectors(self.word_embeddings, input_ids, given)
        real = real_tokens(attention_mask)
        x = self.embeddings(x, token_type_ids, position_ids, real)
        if self.table is not None:
            table = self.table.weight if self.table_norm is None else self.table_norm(self.table.weight)
            context.relative = table, distances(x.shape[1], self.config, x.device)
        x = run_stack(self.schedule(real), x, context, recompute=self.recomputes)
        context.see(x)
        return BaseModelOutput(last_hidden_state=x, **context.collected())

    def schedule(self, real: Tensor | None) -> list[Callable[[Tensor, Context], Tensor]]:
        """The blocks, the first of them followed by the convolution if there is one."""
        first, *others = self.blocks
        if self.conv is None:
            return [first, *others]
        return [lambda x, context: self.conv(x, first(x, context), real), *others]


def real_tokens(mask: Tensor | None) -> Tensor | None:
    """(batch, length), 0 at positions that no one may see."""
    if mask is None or mask.dim() == 2:
        return mask
    visible = mask > 0 if not mask.is_floating_point() else mask > -1
    return visible.flatten(1, -3).any(1).any(-2) if mask.dim() == 4 else visible.any(-2)


class DebertaV2Head(DebertaV2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = DebertaV2Model

    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob if config.cls_dropout is None else config.cls_dropout


class DebertaV2ForMaskedLM(DebertaV2Head, heads.MaskedLM):
    """Its head comes in two layouts: BERT's (config.legacy), and one that scores with the word embeddings."""

    dense = At("cls.predictions.transform.dense")
    norm = At("cls.predictions.transform.LayerNorm")
    output_embeddings = At("cls.predictions.decoder")
    lm_bias = At("cls.predictions.bias")
    ties: ClassVar[dict[str, str]] = {
        "cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    new_dense = At("lm_predictions.lm_head.dense")
    new_norm = At("lm_predictions.lm_head.LayerNorm")
    new_bias = At("lm_predictions.lm_head.bias")

    def build(self, config: Any) -> None:
        if config.legacy:
            super().build(config)
            return
        self.new_dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.new_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.new_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.activation = activation_function(config.hidden_act)

    def tied_weights(self) -> dict[str, str]:
        return super().tied_weights() if self.config.legacy else {}

    def score_tokens(self, x: Tensor) -> Tensor:
        if self.config.legacy:
            return super().score_tokens(x)
        x = self.new_norm(self.activation(self.new_dense(x)))
        words: Any = self.get_input_embeddings()
        return multiply(x, words.weight, self.new_bias)

    def _resize_rest(self, count: int) -> None:
        if self.config.legacy:
            super()._resize_rest(count)
            return
        old = self.new_bias.data
        new = old.new_zeros(count)
        new[: min(count, len(old))] = old[:count]
        self.new_bias = nn.Parameter(new)


class ContextPooler(nn.Module):
    """The first token's hidden state through a layer and the config's pooler_hidden_act."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        size = config.pooler_hidden_size or config.hidden_size
        self.dense = nn.Linear(size, size)
        self.dropout = nn.Dropout(config.pooler_dropout)
        self.activation = activation_function(config.pooler_hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.dense(self.dropout(x[:, 0])))


def context_pooled(model: Any, out: ModelOutput) -> Tensor:
    return model.dropout(model.pooler(out.last_hidden_state))


class DebertaV2ForSequenceClassification(DebertaV2Head, heads.SequenceClassification):
    text_vector = context_pooled

    def build(self, config: Any) -> None:
        super().build(config)
        self.pooler = ContextPooler(config)


class DebertaV2ForMultipleChoice(DebertaV2Head, heads.MultipleChoice):
    text_vector = context_pooled

    def build(self, config: Any) -> None:
        super().build(config)
        self.pooler = ContextPooler(config)


class DebertaV2ForTokenClassification(DebertaV2Head, heads.TokenClassification):
    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob


class DebertaV2ForQuestionAnswering(DebertaV2Head, heads.QuestionAnswering):
    pass
