"""ModernBERT (arXiv:2412.13663): a pre-norm encoder with rotary positions; most of its layers see near tokens only."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import self_attention, thirds
from ..nn.block import Block
from ..nn.context import Context, open_context
from ..nn.embeddings import places, tokens_or_vectors, word_vectors
from ..nn.linear import linear
from ..nn.losses import cross_entropy
from ..nn.mlp import activation_function
from ..nn.packing import labelled_tokens, reading
from ..nn.positions import check_rope, rotary_table
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import BaseModelOutput, BaseModelOutputWithPooling

GLOBAL, LOCAL = "full_attention", "sliding_attention"
THETAS = {GLOBAL: "global_rope_theta", LOCAL: "local_rope_theta"}


class ModernBertConfig(Config):
    """`layer_types` names each layer; where it is not given, one layer in `global_attn_every_n_layers` sees all. The
    rotary base of each kind is a key of its own, or stands in `rope_parameters` with whatever else says its angles."""

    model_type = "modernbert"
    no_effect = Config.no_effect | {
        "layer_norm_eps",  # of the library that the weights come from; norm_eps is what counts
        "position_embedding_type",
        "deterministic_flash_attn",
        "reference_compile",
        "repad_logits_with_grad",
    }
    only = {"rope_scaling": None}

    vocab_size: int = 50368
    hidden_size: int = 768
    intermediate_size: int = 1152
    num_hidden_layers: int = 22
    num_attention_heads: int = 12
    hidden_activation: str = "gelu"
    max_position_embeddings: int = 8192
    initializer_range: float = 0.02
    initializer_cutoff_factor: float | None = 2.0
    norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    attention_dropout: float = 0.0
    layer_types: list[str] | None = None
    global_attn_every_n_layers: int = 3
    rope_parameters: dict[str, Any] | None = None
    global_rope_theta: float = 160000.0
    local_rope_theta: float = 10000.0
    local_attention: int = 128
    embedding_dropout: float = 0.0
    mlp_bias: bool = False
    mlp_dropout: float = 0.0
    decoder_bias: bool = True
    classifier_pooling: str = "cls"
    classifier_dropout: float = 0.0
    classifier_bias: bool = False
    classifier_activation: str = "gelu"
    sparse_prediction: bool = False
    sparse_pred_ignore_index: int = -100
    pad_token_id: int | None = 50283
    bos_token_id: int | None = 50281
    eos_token_id: int | list[int] | None = 50282
    sep_token_id: int | None = 50282

    def __init__(self, **keys: Any) -> None:
        ropes = keys.get("rope_parameters") or {}
        for kind, rope in ropes.items() if isinstance(ropes, dict) else [(None, ropes)]:
            if kind not in THETAS or not isinstance(rope, dict):
                raise ValueError(
                    f"config key 'rope_parameters' holds {kind!r}: {rope!r}; expected an object for {GLOBAL!r} and one "
                    f"for {LOCAL!r}"
                )
            key, theta = THETAS[kind], rope.get("rope_theta")
            if theta is not None and keys.setdefault(key, theta) != theta:
                raise ValueError(
                    f"config key {key!r} is {keys[key]!r}, but 'rope_parameters' says {theta!r}: give one of them"
                )
        super().__init__(**keys)

    def check(self) -> None:
        super().check()
        self.require("classifier_pooling", ("cls", "mean"), "set it to one of them")
        for key in ("is_decoder", "add_cross_attention"):
            self.require(key, (False,), "this family only encodes")
        if self.layer_types is None:
            every = self.global_attn_every_n_layers
            self.layer_types = [LOCAL if i % every else GLOBAL for i in range(self.num_hidden_layers)]
        if len(self.layer_types) != self.num_hidden_layers or not {GLOBAL, LOCAL}.issuperset(self.layer_types):
            raise ValueError(
                f"config key 'layer_types' is {self.layer_types!r}; expected {GLOBAL!r} or {LOCAL!r} for each of "
                f"{self.num_hidden_layers} layers: correct it, or leave it out"
            )
        given = self.rope_parameters or {}
        self.rope_parameters = {
            kind: {"rope_type": "default", **(given.get(kind) or {}), "rope_theta": getattr(self, key)}
            for kind, key in THETAS.items()
        }
        for kind in THETAS:
            check_rope(self.rope(kind))

    @property
    def near(self) -> int:
        """How many tokens a local layer sees on either side, a token itself included in both."""
        return self.local_attention // 2 + 1

    def rope(self, kind: str) -> dict[str, Any]:
        """All that the rotary angles of this kind of layer depend on."""
        rope = (self.rope_parameters or {})[kind]
        limit, theta = self.max_position_embeddings, getattr(self, THETAS[kind])
        return {"max_position_embeddings": limit, **rope, "rope_theta": theta}


def pre_norm(block: Any, x: Tensor, context: Context) -> Tensor:
    """The usual order; the dropout behind attention has no counterpart behind the mlp."""
    x = x + block.dropout(self_attention(block, block.norm_attn(x), context))
    return x + block.feed(block.norm_mlp(x), context)


def fused_gated(block: Any, x: Tensor, context: Context) -> Tensor:
    """down(act(gate) * up), gate and up of one projection"""
    gate, up = linear(block.gate_up, x).chunk(2, dim=-1)
    return linear(block.down, block.inner_dropout(block.activation(gate) * up))


class ModernBertBlock(Block):
    wiring = pre_norm
    project = thirds
    feed = fused_gated
    norm_attn = At("attn_norm")
    qkv, o = At("attn.Wqkv"), At("attn.Wo")
    norm_mlp = At("mlp_norm")
    gate_up, down = At("mlp.Wi"), At("mlp.Wo")

    def __init__(self, config: Any, index: int) -> None:
        size = config.hidden_size
        super().__init__(
            index=index,
            hidden_size=size,
            heads=config.num_attention_heads,
            window=config.near if config.layer_types[index] == LOCAL else None,
            inner_size=config.intermediate_size,
            norm=partial(nn.LayerNorm, size, eps=config.norm_eps, bias=config.norm_bias),
            activation=config.hidden_activation,
            attention_bias=config.attention_bias,
            output_bias=config.attention_bias,
            mlp_bias=config.mlp_bias,
            dropout=config.attention_dropout,
            attention_dropout=config.attention_dropout,
            inner_dropout=config.mlp_dropout,
        )
        self.gate_up = nn.Linear(size, 2 * config.intermediate_size, bias=config.mlp_bias)
        if index == 0:
            self.norm_attn = nn.Identity()  # the embeddings are normalised already


class ModernBertPreTrainedModel(PreTrainedModel):
    config_class = ModernBertConfig
    base_model_prefix = "model"

    def init_module(self, module: nn.Module) -> None:
        """Normal with the tails cut off; what adds to the residual stream starts smaller."""
        super().init_module(module)
        config = self.config
        std, small = config.initializer_range, config.initializer_range / math.sqrt(2 * config.num_hidden_layers)
        if isinstance(module, nn.Embedding):
            self.cut_normal(module, std)
        elif isinstance(module, ModernBertBlock):
            for role in (module.qkv, module.gate_up):
                self.cut_normal(role, std)
            for role in (module.o, module.down):
                self.cut_normal(role, small)
        elif isinstance(module, PredictionHead):
            self.cut_normal(module.dense, small)
        elif isinstance(module, ModernBertForMaskedLM):
            self.cut_normal(module.output_embeddings, small)
        elif isinstance(module, ModernBertHead):
            self.cut_normal(module.get_submodule("classifier"), config.hidden_size**-0.5)

    def cut_normal(self, module: Any, std: float) -> None:
        if not module.weight.is_meta:
            cutoff = 3 if self.config.initializer_cutoff_factor is None else self.config.initializer_cutoff_factor
            nn.init.trunc_normal_(module.weight, 0.0, std, -cutoff * std, cutoff * std)


class ModernBertModel(ModernBertPreTrainedModel):
    word_embeddings = At("embeddings.tok_embeddings")
    embeddings_norm = At("embeddings.norm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        norm = partial(nn.LayerNorm, config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.embeddings_norm = norm()
        self.dropout = nn.Dropout(config.embedding_dropout)
        self.layers = nn.ModuleList(ModernBertBlock(config, i) for i in range(config.num_hidden_layers))
        self.final_norm = norm()
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """last_hidden_state (batch, length, hidden). A mask of (batch, 1, queries, keys) holds in local layers as it
        is; one of (batch, length) is joined there with the window."""
        config = self.config
        given = tokens_or_vectors(input_ids, inputs_embeds)
        context = open_context(
            config,
            given,
            causal=False,
            attention_mask=attention_mask,
            packs=self.training,
            windows=[config.near] if LOCAL in config.layer_types else [],
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        position_ids = places(position_ids, given)
        x = word_vectors(self.word_embeddings, input_ids, given)
        x = self.dropout(self.embeddings_norm(x))
        head_size = config.hidden_size // config.num_attention_heads
        context.rotary, context.rotary_near = (
            rotary_table(position_ids, head_size, config.rope(kind), x.dtype) for kind in (GLOBAL, LOCAL)
        )
        x = run_stack(self.layers, x, context, recompute=self.recomputes)
        x = self.final_norm(x)
        context.see(x)
        return BaseModelOutput(last_hidden_state=x, **context.collected())


class PredictionHead(nn.Module):
    """dense, activation, norm"""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size, bias=config.classifier_bias)
        self.activation = activation_function(config.classifier_activation)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.activation(self.dense(x)))


class ModernBertHead(ModernBertPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = ModernBertModel

    def head_dropout(self, config: Any) -> float:
        return config.classifier_dropout


class ModernBertForMaskedLM(ModernBertHead, heads.MaskedLM):
    """With config.sparse_prediction, and labels, only positions that count are scored: (positions, vocabulary)."""

    ties: ClassVar[dict[str, str]] = {"decoder.weight": "model.embeddings.tok_embeddings.weight"}
    output_embeddings = At("decoder")

    def build(self, config: Any) -> None:
        self.head = PredictionHead(config)
        self.output_embeddings = nn.Linear(config.hidden_size, config.vocab_size, bias=config.decoder_bias)

    def score_tokens(self, x: Tensor) -> Tensor:
        return linear(self.output_embeddings, self.head(x))

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        if labels is None or not self.config.sparse_prediction:
            return super().forward(*args, labels=labels, **inputs)
        with reading(labelled_tokens(labels)):
            out = self.run_body(*args, **inputs)
        counts = labels != self.config.sparse_pred_ignore_index
        logits = self.score_tokens(out.last_hidden_state[counts])
        return self.answer(out, loss=cross_entropy(logits, labels[counts]), logits=logits)


class ModernBertTextHead(ModernBertHead):
    """Pools by config.classifier_pooling, then transforms."""

    def build(self, config: Any) -> None:
        super().build(config)  # type: ignore[misc]
        self.head = PredictionHead(config)

    def run_body(self, input_ids: Any = None, attention_mask: Any = None, *args: Any, **inputs: Any) -> Any:
        out = self.base_model(input_ids, attention_mask, *args, return_dict=True, **inputs)
        x = out.last_hidden_state
        if self.config.classifier_pooling == "mean":
            real = torch.ones_like(x[..., 0]) if attention_mask is None else attention_mask.to(x.dtype)
            vector = (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        else:
            vector = self.first(x, attention_mask)
        return BaseModelOutputWithPooling(pooler_output=self.head(vector), **out)

    def first(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        return x[:, 0]


class ModernBertForSequenceClassification(ModernBertTextHead, heads.SequenceClassification):
    pass


class ModernBertForMultipleChoice(ModernBertTextHead, heads.MultipleChoice):
    def first(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        """The first real token, also of texts padded on the left."""
        if attention_mask is None:
            return x[:, 0]
        return x[torch.arange(len(x), device=x.device), attention_mask.long().argmax(-1)]


class ModernBertTokenHead(ModernBertHead):
    """Transforms every token."""

    def build(self, config: Any) -> None:
        super().build(config)  # type: ignore[misc]
        self.head = PredictionHead(config)

    def run_body(self, *args: Any, **inputs: Any) -> Any:
        out = self.base_model(*args, return_dict=True, **inputs)
        out.last_hidden_state = self.head(out.last_hidden_state)
        return out


class ModernBertForTokenClassification(ModernBertTokenHead, heads.TokenClassification):
    pass


class ModernBertForQuestionAnswering(ModernBertTokenHead, heads.QuestionAnswering):
    qa_outputs = At("classifier")

    def build(self, config: Any) -> None:
        super().build(config)
        self.dropout = nn.Dropout(self.head_dropout(config))
