"""XLNet (arXiv:1906.08237): two streams of attention over distances, in any order of the tokens, with a memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import merge_heads
from ..nn.context import Context
from ..nn.embeddings import tokens_or_vectors, word_vectors
from ..nn.head_masks import asked_masks, masked_weights
from ..nn.losses import cross_entropy
from ..nn.masks import row_mask
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import ModelOutput
from .parts.beam_answers import BeamQuestionAnswering
from .xlm import XLMForQuestionAnsweringOutput, summarised


class XLNetConfig(Config):
    model_type = "xlnet"
    aliases = {
        "n_token": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }
    # untie_r: each layer has its own biases of distance; the others are settings of its first library.
    no_effect = Config.no_effect | {"untie_r", "dropatt", "init", "init_range", "init_std", "max_position_embeddings"}

    vocab_size: int = 32000
    d_model: int = 1024
    n_layer: int = 24
    n_head: int = 16
    d_inner: int = 4096
    d_head: int | None = None
    ff_activation: str = "gelu"
    attn_type: str = "bi"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    dropout: float = 0.1
    mem_len: int | None = 512
    reuse_len: int | None = None
    use_mems_eval: bool = True
    use_mems_train: bool = False
    bi_data: bool = False
    clamp_len: int = -1
    same_length: bool = False
    summary_type: str = "last"
    summary_use_proj: bool = True
    summary_activation: str | None = "tanh"
    summary_last_dropout: float = 0.1
    start_n_top: int = 5
    end_n_top: int = 5
    pad_token_id: int | None = 5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        self.require("attn_type", ("bi", "uni"), "set it to one of them")
        for key in ("is_decoder", "add_cross_attention"):
            self.require(key, (False,), "this family decodes with mems and perm_mask")
        if self.d_head is None:
            self.d_head = self.d_model // self.n_head
        if self.d_head * self.n_head != self.d_model:
            raise ValueError(
                f"config key 'd_head' is {self.d_head!r}, but d_model {self.d_model} is shared by n_head {self.n_head} "
                "heads: leave d_head out, and make d_model a multiple of n_head"
            )


@dataclass
class Streams:
    """What the layers of one pass share. Their x holds the content stream and, behind it, the query stream if any."""

    length: int  # of the content stream
    table: Tensor  # (batch or 1, distances, hidden)
    rows: Tensor  # (queries, keys): the row of the table for each distance
    hidden: Tensor | None  # (batch or 1, 1, queries, keys): True where the content stream does not look
    hidden_to_queries: Tensor | None  # the same of the query stream, which does not see its own token either
    differs: Tensor | None  # (batch, 1, queries, keys): True across segments
    mapping: Tensor | None  # (batch, predictions, length): 1 at the token that is predicted
    mems: list[Tensor] = field(default_factory=list)  # of each layer, (memory, batch, hidden)


class TwoStreamAttention(nn.Module):
    """Content against content, distance and segment; weights are stored as (hidden, heads, head size)."""

    def __init__(self, config: Any, index: int) -> None:
        super().__init__()
        size, count, head_size = config.d_model, config.n_head, config.d_head
        self.q, self.k, self.v, self.o, self.r = (nn.Parameter(torch.empty(size, count, head_size)) for _ in range(5))
        self.r_r_bias, self.r_s_bias, self.r_w_bias = (nn.Parameter(torch.empty(count, head_size)) for _ in range(3))
        self.seg_embed = nn.Parameter(torch.empty(2, count, head_size))
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)
        self.index, self.scale = index, head_size**-0.5

    def forward(self, x: Tensor, context: Context) -> Tensor:
        streams: Streams = context.relative
        content, query = x[:, : streams.length], x[:, streams.length :]
        seen = content
        if streams.mems:
            seen = torch.cat((streams.mems[self.index].transpose(0, 1).to(x.dtype), content), dim=1)
        k, v, far = self.split(seen, self.k), self.split(seen, self.v), self.split(streams.table, self.r)
        mixed, weights = self.mix(self.split(content, self.q), k, v, far, context, streams.hidden)
        if streams.mapping is not None:
            q = torch.einsum("bnmd,bml->bnld", self.split(query, self.q), streams.mapping)
            to_queries, query_weights = self.mix(q, k, v, far, context, streams.hidden_to_queries)
            to_queries = torch.einsum("bnld,bml->bnmd", to_queries, streams.mapping)
            mixed = torch.cat((mixed, to_queries), dim=2)
            weights = (weights, query_weights)  # type: ignore[assignment]
        if context.attentions is not None:
            context.attentions.append(weights)
        out = merge_heads(mixed) @ self.o.flatten(1).T
        return self.layer_norm(self.dropout(out) + x)

    def split(self, x: Tensor, weight: Tensor) -> Tensor:
        """(batch, length, hidden) -> (batch, heads, length, head size)"""
        return torch.einsum("bih,hnd->bnid", x, weight)

    def mix(
        self, q: Tensor, k: Tensor, v: Tensor, far: Tensor, context: Context, hidden: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        streams: Streams = context.relative
        by_content = (q + self.r_w_bias[:, None]) @ k.transpose(-1, -2)
        by_distance = (q + self.r_r_bias[:, None]) @ far.transpose(-1, -2)
        scores = by_content + by_distance.gather(-1, streams.rows.expand(*q.shape[:2], *streams.rows.shape))
        if streams.differs is not None:
            same, other = torch.einsum("bnid,snd->sbni", q + self.r_s_bias[:, None], self.seg_embed)[..., None]
            scores = scores + torch.where(streams.differs, other, same)
        scores = scores * self.scale
        if hidden is not None:
            scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        weights = masked_weights(weights, context.head_masks, self.index)
        return weights @ v, weights


class FeedForward(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.layer_1 = nn.Linear(config.d_model, config.d_inner)
        self.layer_2 = nn.Linear(config.d_inner, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.activation = activation_function(config.ff_activation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer_2(self.dropout(self.activation(self.layer_1(x))))
        return self.layer_norm(self.dropout(y) + x)


class TwoStreamLayer(nn.Module):
    def __init__(self, config: Any, index: int) -> None:
        super().__init__()
        self.rel_attn = TwoStreamAttention(config, index)
        self.ff = FeedForward(config)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.ff(self.rel_attn(x, context))


class XLNetPreTrainedModel(PreTrainedModel):
    config_class = XLNetConfig
    base_model_prefix = "transformer"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, (TwoStreamAttention, XLNetModel)):
            for weight in module._parameters.values():
                weight.normal_(0.0, self.config.initializer_range)  # type: ignore[union-attr]


class XLNetModelOutput(ModelOutput):
    last_hidden_state: Tensor
    mems: tuple[Tensor, ...] | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Any, ...] | None


class XLNetModel(XLNetPreTrainedModel):
    word_embeddings = At("word_embedding")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.d_model)
        self.mask_emb = nn.Parameter(torch.empty(1, 1, config.d_model))
        self.layer = nn.ModuleList(TwoStreamLayer(config, i) for i in range(config.n_layer))
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        mems: Any = None,
        perm_mask: Tensor | None = None,
        target_mapping: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        input_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetModelOutput:
        """last_hidden_state (batch, length or predictions, hidden).

        attention_mask (batch, length), or input_mask with 1 at padding instead; perm_mask (batch, length, length), 1
        where a token does not see another; target_mapping (batch, predictions, length), 1 at the token of each
        prediction, which makes the second stream. mems, of each layer (memory, batch, hidden): hidden states of
        earlier tokens; new ones are returned where use_mems, or else the config, says so.
        """
        config = self.config
        given = tokens_or_vectors(input_ids, inputs_embeds)
        x = self.dropout(word_vectors(self.word_embeddings, input_ids, given))
        length = x.shape[1]
        mems = [memory for memory in mems or () if memory is not None]
        streams = self.share(x, mems, self.hidden_places(attention_mask, input_mask, perm_mask, x))
        streams.differs = self.across_segments(token_type_ids, streams)
        if target_mapping is not None:
            streams.mapping = target_mapping.to(x.dtype)
            queries = self.mask_emb.expand(len(x), target_mapping.shape[1], -1)
            x = torch.cat((x, self.dropout(queries)), dim=1)
        context = Context(relative=streams, head_masks=asked_masks())
        context.collect(config, output_hidden_states, output_attentions)
        wanted, context.hidden_states = context.hidden_states is not None, []
        x = run_stack(self.layer, x, context, recompute=self.recomputes)
        context.see(x)
        seen = context.hidden_states
        if use_mems is None:
            use_mems = config.use_mems_train if self.training else config.use_mems_eval
        streamed = [(each[:, :length], each[:, length:]) if target_mapping is not None else (each,) for each in seen]
        return XLNetModelOutput(
            last_hidden_state=self.dropout(x if target_mapping is None else x[:, length:]),
            mems=self.remembered([each[:, :length] for each in seen[:-1]], mems) if use_mems else None,
            hidden_states=tuple(part for parts in streamed for part in parts) if wanted else None,
            attentions=None if context.attentions is None else tuple(context.attentions),
        )

    def share(self, x: Tensor, mems: list[Tensor], hidden: Tensor | None) -> Streams:
        """Distances from queries to keys, and who is hidden; memory can always be seen."""
        config, (batch, queries) = self.config, x.shape[:2]
        memory = len(mems[0]) if mems else 0
        keys = memory + queries
        query = torch.arange(queries, device=x.device)[:, None]
        key = torch.arange(keys, device=x.device)[None]
        if hidden is not None:
            hidden = torch.cat((hidden.new_zeros(*hidden.shape[:-1], memory), hidden), dim=-1)
        if config.attn_type == "uni":
            later = key > query + memory
            later = later | (key < query) if config.same_length else later
            hidden = later[None, None] if hidden is None else hidden | later
        own = key == query + memory
        rows = key - query + queries
        distances = torch.arange(keys, -queries if config.attn_type == "bi" else -1, -1, device=x.device)
        return Streams(
            length=queries,
            table=self.dropout(self.position_table(distances, batch).to(x.dtype)),
            rows=rows.clamp(max=len(distances) - 1),  # what is beyond comes later, and "uni" hides it
            hidden=None if hidden is None else hidden & ~own,
            hidden_to_queries=hidden,
            differs=None,
            mapping=None,
            mems=mems,
        )

    def position_table(self, distances: Tensor, batch: int) -> Tensor:
        """(batch, distances, hidden): sines, then cosines. With bi_data half of the texts are read backwards."""
        config = self.config
        rates = 10000.0 ** -(torch.arange(0, config.d_model, 2, device=distances.device).float() / config.d_model)

        def waves(distances: Tensor) -> Tensor:
            if config.clamp_len > 0:
                distances = distances.clamp(-config.clamp_len, config.clamp_len)
            angles = distances.float()[:, None] * rates
            return torch.cat((angles.sin(), angles.cos()), dim=-1)[None]

        if not config.bi_data:
            return waves(distances).expand(batch, -1, -1)
        if batch % 2:
            raise ValueError(
                f"the batch has {batch} texts, but with bi_data in the config its second half is read backwards: pass "
                "an even number"
            )
        half = batch // 2
        return torch.cat((waves(distances).expand(half, -1, -1), waves(-distances).expand(half, -1, -1)))

    def hidden_places(
        self, attention_mask: Tensor | None, input_mask: Tensor | None, perm_mask: Tensor | None, x: Tensor
    ) -> Tensor | None:
        """(batch, 1, queries or 1, keys), True at padding and where the order of tokens hides one from another."""
        if attention_mask is not None and input_mask is not None:
            raise ValueError("pass either attention_mask (0 at padding) or input_mask (1 at padding): both were given")
        batch, length = x.shape[:2]
        if perm_mask is not None and perm_mask.shape != (batch, length, length):
            raise ValueError(f"perm_mask has shape {tuple(perm_mask.shape)}; expected {(batch, length, length)}")
        hidden = None
        if attention_mask is not None or input_mask is not None:
            given = attention_mask if input_mask is None else 1 - input_mask.long()
            hidden = (row_mask(given, batch, length, x.device) < 1)[:, None, None]
        if perm_mask is not None:
            hidden = (perm_mask > 0)[:, None] if hidden is None else hidden | (perm_mask > 0)[:, None]
        return hidden

    def across_segments(self, token_type_ids: Tensor | None, streams: Streams) -> Tensor | None:
        """Memory counts as segment 0."""
        if token_type_ids is None:
            return None
        memory = streams.rows.shape[1] - streams.length
        keys = torch.cat((token_type_ids.new_zeros(len(token_type_ids), memory), token_type_ids), dim=1)
        return (token_type_ids[:, :, None] != keys[:, None])[:, None]

    def remembered(self, states: list[Tensor], mems: list[Tensor]) -> tuple[Tensor, ...]:
        """The last config.mem_len states (all, if it has none) of memory and text, of the text the first reuse_len."""
        last = -(self.config.mem_len or 0)
        new = [state.transpose(0, 1)[: self.config.reuse_len or None] for state in states]
        if mems:
            new = [torch.cat(parts) for parts in zip(mems, new, strict=True)]
        return tuple(memory[last:].detach() for memory in new)


class XLNetHead(XLNetPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = XLNetModel

    def head_dropout(self, config: Any) -> float:
        return 0.0


class XLNetLMHeadModelOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    mems: tuple[Tensor, ...] | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Any, ...] | None


class XLNetLMHeadModel(XLNetHead, heads.CausalLM):
    """Scores of the tokens that target_mapping names, or of all; labels are theirs, not shifted."""

    ties: ClassVar[dict[str, str]] = {"lm_loss.weight": "transformer.word_embedding.weight"}
    output_embeddings = At("lm_loss")
    output_class = XLNetLMHeadModelOutput
    label_loss = staticmethod(cross_entropy)

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.d_model, config.vocab_size)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, past_key_values: Any = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> dict[str, Any]:
        """The text and one place more, which sees the text and which nobody sees: its token is guessed.

        Memory takes the place of all but the last two tokens, which are read again, now that more stands behind them.
        """
        mems = past_key_values if isinstance(past_key_values, tuple) else None
        ids = F.pad(input_ids if mems is None else input_ids[:, -2:], (0, 1))
        unseen = torch.zeros(len(ids), ids.shape[1], ids.shape[1], device=ids.device)
        unseen[:, :, -1] = 1.0
        asked = torch.zeros(len(ids), 1, ids.shape[1], device=ids.device)
        asked[:, :, -1] = 1.0
        made: dict[str, Any] = {"input_ids": ids, "perm_mask": unseen, "target_mapping": asked}
        if mems is not None:
            made["mems"] = tuple(layer[:-2] for layer in mems)
        shown: dict[str, Any] = {name: value for name, value in inputs.items() if name.startswith("output_")}
        return {**made, **shown, "use_mems": inputs.get("use_mems")}

    @staticmethod
    def _reorder_cache(mems: tuple[Tensor, ...], rows: Tensor) -> tuple[Tensor, ...]:
        return tuple(layer.index_select(1, rows) for layer in mems)


class XLNetForSequenceClassificationOutput(XLNetLMHeadModelOutput):
    pass


class XLNetForSequenceClassification(XLNetHead, heads.SequenceClassification):
    text_vector = summarised
    classifier = At("logits_proj")
    output_class = XLNetForSequenceClassificationOutput

    def build(self, config: Any) -> None:
        self.sequence_summary = heads.SequenceSummary(config, config.d_model)
        self.classifier = nn.Linear(config.d_model, config.num_labels)


class XLNetForMultipleChoiceOutput(XLNetLMHeadModelOutput):
    pass


class XLNetForMultipleChoice(XLNetHead, heads.MultipleChoice):
    text_vector = summarised
    classifier = At("logits_proj")
    output_class = XLNetForMultipleChoiceOutput

    def build(self, config: Any) -> None:
        self.sequence_summary = heads.SequenceSummary(config, config.d_model)
        self.classifier = nn.Linear(config.d_model, 1)


class XLNetForTokenClassificationOutput(XLNetLMHeadModelOutput):
    pass


class XLNetForTokenClassification(XLNetHead, heads.TokenClassification):
    output_class = XLNetForTokenClassificationOutput


class XLNetForQuestionAnsweringSimpleOutput(ModelOutput):
    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    mems: tuple[Tensor, ...] | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Any, ...] | None


class XLNetForQuestionAnsweringSimple(XLNetHead, heads.QuestionAnswering):
    output_class = XLNetForQuestionAnsweringSimpleOutput


class XLNetForQuestionAnsweringOutput(XLMForQuestionAnsweringOutput):
    mems: tuple[Tensor, ...] | None


class XLNetForQuestionAnswering(XLNetHead, BeamQuestionAnswering):
    output_class = XLNetForQuestionAnsweringOutput
