"""T5 (arXiv:1910.10683), v1.0 and the gated v1.1 / FLAN: pre-norm, RMS norm, learned biases of relative positions."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads, seq2seq
from ..nn.block import Block
from ..nn.context import Context
from ..nn.embeddings import word_vectors
from ..nn.linear import linear
from ..nn.masks import combine
from ..nn.mlp import gated
from ..nn.norms import RMSNorm
from ..nn.positions import relative_buckets
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm
from ..outputs import BaseModelOutput, Seq2SeqModelOutput


class T5Config(Config):
    model_type = "t5"
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }
    no_effect = Config.no_effect | {
        "n_positions",
        "dense_act_fn",
        "is_gated_act",
    }  # the last two: from feed_forward_proj

    vocab_size: int = 32128
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 6
    num_decoder_layers: int | None = None
    num_heads: int = 8
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    classifier_dropout: float = 0.0
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    feed_forward_proj: str = "relu"
    scale_decoder_outputs: bool | None = None  # before the head; None: if it is tied, as in v1.0 and not in v1.1
    is_encoder_decoder: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    decoder_start_token_id: int | None = None

    def check(self) -> None:
        super().check()
        if self.scale_decoder_outputs is None:
            self.scale_decoder_outputs = self.tie_word_embeddings
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        kind = self.feed_forward_proj.split("-")
        if len(kind) > 2 or (len(kind) == 2 and kind[0] != "gated"):
            raise ValueError(
                f"config key 'feed_forward_proj' is {self.feed_forward_proj!r}; expected an activation, as 'relu', or "
                "'gated-' and one, as 'gated-gelu'"
            )

    @property
    def is_gated(self) -> bool:
        return self.feed_forward_proj.startswith("gated-")

    @property
    def activation(self) -> str:
        name = self.feed_forward_proj.removeprefix("gated-")
        return "gelu_new" if self.feed_forward_proj == "gated-gelu" else name


class T5Block(Block):
    wiring = pre_norm
    norm_attn = At("layer.0.layer_norm")
    q, k = At("layer.0.SelfAttention.q"), At("layer.0.SelfAttention.k")
    v, o = At("layer.0.SelfAttention.v"), At("layer.0.SelfAttention.o")
    bias = At("layer.0.SelfAttention.relative_attention_bias")
    norm_mlp = At("layer.1.layer_norm")
    up, down = At("layer.1.DenseReluDense.wi"), At("layer.1.DenseReluDense.wo")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            index=index,
            hidden_size=config.d_model,
            heads=config.num_heads,
            head_size=config.d_kv,
            scale=1.0,
            inner_size=config.d_ff,
            norm=partial(RMSNorm, config.d_model, config.layer_norm_epsilon),
            activation=config.activation,
            attention_bias=False,
            output_bias=False,
            mlp_bias=False,
            dropout=config.dropout_rate,
            attention_dropout=config.dropout_rate,
            inner_dropout=config.dropout_rate,
            crosses="cross_q" in self.roles(),
        )
        if index == 0:
            self.bias = nn.Embedding(config.relative_attention_num_buckets, config.num_heads)


class T5GatedBlock(T5Block):
    feed = gated
    gate, up = At("layer.1.DenseReluDense.wi_0"), At("layer.1.DenseReluDense.wi_1")


class T5DecoderBlock(T5Block):
    norm_cross = At("layer.1.layer_norm")
    cross_q, cross_k = At("layer.1.EncDecAttention.q"), At("layer.1.EncDecAttention.k")
    cross_v, cross_o = At("layer.1.EncDecAttention.v"), At("layer.1.EncDecAttention.o")
    norm_mlp = At("layer.2.layer_norm")
    up, down = At("layer.2.DenseReluDense.wi"), At("layer.2.DenseReluDense.wo")


class T5GatedDecoderBlock(T5DecoderBlock):
    feed = gated
    gate, up = At("layer.2.DenseReluDense.wi_0"), At("layer.2.DenseReluDense.wi_1")


class T5PreTrainedModel(seq2seq.Seq2SeqModel):
    config_class: ClassVar[type[Config]] = T5Config
    base_model_prefix = "transformer"
    ignored_on_disk = (
        *PreTrainedModel.ignored_on_disk,
        r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$",
    )

    def init_module(self, module: nn.Module) -> None:
        """Each layer by its fan-in, as the scale of T5's attention is folded into its queries."""
        config, factor = self.config, self.config.initializer_factor
        if isinstance(module, RMSNorm):
            module.weight.fill_(factor)
        elif isinstance(module, T5Block):
            inside = config.num_heads * config.d_kv
            for attention in (module.q, module.cross_q):
                _normal(attention, factor * (config.d_model * config.d_kv) ** -0.5)
            for role in (module.k, module.v, module.cross_k, module.cross_v, module.bias, module.up, module.gate):
                _normal(role, factor * config.d_model**-0.5)
            for role in (module.o, module.cross_o):
                _normal(role, factor * inside**-0.5)
            _normal(module.down, factor * config.d_ff**-0.5)
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(0.0, factor)
        elif isinstance(module, nn.Linear):
            module.weight.normal_(0.0, factor * config.d_model**-0.5)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, T5ForTokenClassification):
            _normal(module.classifier, factor)
        elif isinstance(module, T5ForConditionalGeneration):
            _normal(module.output_embeddings, factor)  # where it is tied, the words' own values take its place


def _normal(layer: Any, std: float) -> None:
    if layer is not None and not layer.weight.is_meta:
        layer.weight.normal_(0.0, std)


class T5Stack(T5PreTrainedModel, seq2seq.HalfStack):
    """One half of T5. The bias of relative positions is computed once and shared by all blocks."""

    block_classes: ClassVar[tuple[type[T5Block], ...]] = (T5Block, T5GatedBlock, T5DecoderBlock, T5GatedDecoderBlock)
    biased = True
    word_embeddings, blocks = At("embed_tokens"), At("block")

    def __init__(self, config: Any, decodes: bool) -> None:
        super().__init__(config)
        self.decodes = decodes
        depth = config.num_decoder_layers if decodes else config.num_layers
        self.embed_tokens = nn.Embedding(config.vocab_size, config.d_model)
        block_class = self.block_classes[2 * decodes + config.is_gated]
        self.blocks = nn.ModuleList(block_class(config, i) for i in range(depth))
        self.final_layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.post_init()

    def embed(self, input_ids: Tensor | None, given: Tensor, context: Context) -> Tensor:
        self.place_biases(self.buckets(given, context), context)
        return self.dropout(word_vectors(self.embed_tokens, input_ids, given))

    def finish(self, x: Tensor) -> Tensor:
        return self.dropout(self.final_layer_norm(x))

    def buckets(self, given: Tensor, context: Context) -> Tensor:
        """(queries, keys): the bucket of each distance."""
        keys = torch.arange(context.past + given.shape[1], device=given.device)
        return relative_buckets(
            keys[None] - keys[context.past :, None],
            buckets=self.config.relative_attention_num_buckets,
            max_distance=self.config.relative_attention_max_distance,
            both_ways=not self.decodes,
        )

    def place_biases(self, buckets: Tensor, context: Context) -> None:
        """Into the mask of all blocks: (1, heads, queries, keys), from the first block's table."""
        first: Any = self.blocks[0]
        context.mask = combine(context.mask, first.bias(buckets).permute(2, 0, 1)[None])


class T5Bodied(T5PreTrainedModel):
    """The shared embeddings and the two stacks, which stand at the top of the names on disk."""

    stack_class: ClassVar[type[T5Stack]] = T5Stack
    word_embeddings = At("shared")
    stack_ties: ClassVar[dict[str, str]] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }

    def __init__(self, config: Any) -> None:
        PreTrainedModel.__init__(self, config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = self.stack_class(config, decodes=False)
        self.decoder = self.stack_class(config, decodes=True)
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """Make the head's modules, if there is a head."""

    def run_body(self, *args: Any, **inputs: Any) -> Seq2SeqModelOutput:
        return seq2seq.run_seq2seq(self, *args, **inputs)

    def tied_weights(self) -> dict[str, str]:
        return {**self.stack_ties, **super().tied_weights()}  # a T5 has one table of words, whatever the head does


class T5Model(T5Bodied):
    def forward(self, *args: Any, **inputs: Any) -> Seq2SeqModelOutput:
        """The decoder's last_hidden_state (batch, target length, hidden); inputs as in nn.seq2seq.run_seq2seq."""
        return self.run_body(*args, **inputs)


class T5ForConditionalGeneration(T5Bodied, seq2seq.Seq2SeqLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "shared.weight"}
    output_embeddings = At("lm_head")
    build = seq2seq.Seq2SeqLM.build

    def score_tokens(self, x: Tensor) -> Tensor:
        if self.config.scale_decoder_outputs:
            x = x * self.config.d_model**-0.5
        return linear(self.output_embeddings, x)

    def _shift_right(self, input_ids: Tensor) -> Tensor:
        """What code for T5 calls itself: targets as the decoder's input."""
        return self.shift_right(input_ids)


class T5ForQuestionAnswering(T5Bodied, seq2seq.Seq2SeqQuestionAnswering):
    build = seq2seq.Seq2SeqQuestionAnswering.build


class T5EncoderModel(T5PreTrainedModel):
    stack_class: ClassVar[type[T5Stack]] = T5Stack
    word_embeddings = At("shared")
    ignored_on_disk = (*T5PreTrainedModel.ignored_on_disk, r"^decoder\.", r"^lm_head\.")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = self.stack_class(config, decodes=False)
        self.post_init()

    def tied_weights(self) -> dict[str, str]:
        return {"encoder.embed_tokens.weight": "shared.weight"}

    def forward(self, *args: Any, **inputs: Any) -> BaseModelOutput:
        """The encoder's last_hidden_state (batch, length, hidden)."""
        out = self.encoder(*args, return_dict=True, **inputs)
        return BaseModelOutput(dict(out))


class T5ForSequenceClassification(T5PreTrainedModel, seq2seq.Seq2SeqClassification):
    body_class: ClassVar[type[PreTrainedModel]] = T5Model


class T5ForTokenClassification(T5PreTrainedModel, heads.TokenClassification):
    body_class: ClassVar[type[PreTrainedModel]] = T5EncoderModel

    def head_dropout(self, config: Any) -> float:
        return config.classifier_dropout
