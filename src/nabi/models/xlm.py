"""XLM (arXiv:1901.07291): a post-norm encoder that may know languages, its layers stored as four lists of parts."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import self_attention
from ..nn.block import Block
from ..nn.cache import Cache
from ..nn.context import Context, open_context
from ..nn.embeddings import check_fit, check_length, look_up, places, tokens_or_vectors, word_vectors
from ..nn.losses import cross_entropy
from ..nn.masks import row_mask
from ..nn.mlp import plain
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import BaseModelOutput, MaskedLMOutput, ModelOutput
from .distilbert import sinusoids
from .parts.beam_answers import BeamQuestionAnswering


class XLMConfig(Config):
    model_type = "xlm"
    aliases = {
        "hidden_size": "emb_dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
        "n_words": "vocab_size",
        "bos_index": "bos_token_id",
        "eos_index": "eos_token_id",
        "pad_index": "pad_token_id",
    }
    # For tokenizers and generation; init_std, which nothing reads; and settings of its pre-training.
    no_effect = Config.no_effect | frozenset(
        """id2lang lang2id lang_id unk_index mask_index init_std asm_cutoffs asm_div_value
        accumulate_gradients amp batch_size bptt clip_grad_norm context_size data_path encoder_only epoch_size fp16
        group_by_size lambda_clm lambda_mlm lambda_pc langs lg_sampling_factor lgs max_batch_size max_epoch max_len
        max_vocab min_count optimizer same_enc_dec sample_alpha share_inout_emb split_data stopping_criterion
        tokens_per_batch use_memory validation_metrics word_blank word_dropout word_keep word_mask word_mask_keep_rand
        word_pred word_rand word_shuffle""".split()
    )

    vocab_size: int = 30145
    emb_dim: int = 2048
    n_layers: int = 12
    n_heads: int = 16
    dropout: float = 0.1
    attention_dropout: float = 0.1
    gelu_activation: bool = True
    sinusoidal_embeddings: bool = False
    causal: bool = False
    asm: bool = False
    n_langs: int = 1
    use_lang_emb: bool = True
    max_position_embeddings: int = 512
    embed_init_std: float | None = 2048**-0.5
    layer_norm_eps: float = 1e-12
    is_encoder: bool = True
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1
    start_n_top: int = 5
    end_n_top: int = 5
    pad_token_id: int | None = 2
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1

    def check(self) -> None:
        super().check()
        self.require("asm", (False, None), "use a checkpoint whose vocabulary head is one projection")
        self.require("is_encoder", (True,), "this family only encodes")
        for key in ("is_decoder", "add_cross_attention"):
            self.require(key, (False,), "this family only encodes")


def feed(block: Block, x: Tensor, context: Context) -> Tensor:
    return block.dropout(plain(block, x, context))


class LayerPart(Block):
    """One half of a layer; the other half stands in another list."""

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            index=index,
            hidden_size=config.emb_dim,
            heads=config.n_heads,
            inner_size=4 * config.emb_dim,
            norm=nn.Identity,
            activation="gelu" if config.gelu_activation else "relu",
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
        )


class AttentionPart(LayerPart):
    wiring = self_attention
    q, k, v, o = At("q_lin"), At("k_lin"), At("v_lin"), At("out_lin")


class FeedPart(LayerPart):
    wiring = feed
    up, down = At("lin1"), At("lin2")


class XLMPreTrainedModel(PreTrainedModel):
    config_class = XLMConfig
    base_model_prefix = "transformer"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, nn.Embedding) and self.config.embed_init_std is not None:
            module.weight.normal_(0.0, self.config.embed_init_std)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, XLMModel) and self.config.sinusoidal_embeddings:
            weight = module.position_embeddings.weight
            weight.copy_(sinusoids(*weight.shape))


class XLMModel(XLMPreTrainedModel):
    word_embeddings = At("embeddings")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        size, layers = config.emb_dim, range(config.n_layers)
        norm = partial(nn.LayerNorm, size, eps=config.layer_norm_eps)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        if config.n_langs > 1 and config.use_lang_emb:
            self.lang_embeddings = nn.Embedding(config.n_langs, size)
        self.word_embeddings = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.layer_norm_emb = norm()
        self.attentions = nn.ModuleList(AttentionPart(config, i) for i in layers)
        self.layer_norm1 = nn.ModuleList(norm() for _ in layers)
        self.ffns = nn.ModuleList(FeedPart(config, i) for i in layers)
        self.layer_norm2 = nn.ModuleList(norm() for _ in layers)
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """last_hidden_state (batch, length, hidden), zero at padding.

        attention_mask (batch, length), or lengths (batch,); with neither, tokens at the end that are the padding token
        are hidden. langs (batch, length), languages; token_type_ids are ids of the vocabulary here. config.causal
        hides what comes later, but not padding. cache, for causal models: a Cache with the first positions of these
        texts, filled on the way; input_ids are whole texts all the same.
        """
        config = self.config
        given = tokens_or_vectors(input_ids, inputs_embeds)
        length = given.shape[1]
        if attention_mask is None:
            lengths = self.count(input_ids) if lengths is None else lengths
            attention_mask = None if lengths is None else self.places_before(lengths, length)
        real = row_mask(attention_mask, len(given), length, given.device)
        past = cache.get_seq_length() if cache is not None else 0
        if past and not config.causal:
            raise ValueError("a filled cache needs a causal model: config.causal is False, call it without cache")
        new = slice(past, length)
        context = open_context(
            config,
            given[:, new],
            causal=config.causal,
            attention_mask=None if config.causal else real,
            past_key_values=cache,
            use_cache=cache is not None,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        check_length(length, config.max_position_embeddings)
        position_ids = places(position_ids, given)
        x = word_vectors(self.word_embeddings, None if input_ids is None else input_ids[:, new], given[:, new])
        x = x + look_up(self.position_embeddings, position_ids[:, new], "position_ids")
        if langs is not None and config.n_langs > 1 and config.use_lang_emb:
            x = x + look_up(self.lang_embeddings, langs[:, new], "langs")
        if token_type_ids is not None:
            check_fit("token_type_ids", token_type_ids, given)
            x = x + look_up(self.word_embeddings, token_type_ids[:, new], "token_type_ids")
        real = real[:, new, None].to(x.dtype)
        x = self.dropout(self.layer_norm_emb(x)) * real

        def layer(parts: tuple[Any, ...], x: Tensor, context: Context) -> Tensor:
            attention, norm_attn, feed, norm_mlp = parts
            x = norm_attn(x + self.dropout(attention(x, context)))
            return norm_mlp(x + feed(x, context)) * real

        lists = zip(self.attentions, self.layer_norm1, self.ffns, self.layer_norm2, strict=True)
        x = run_stack([partial(layer, parts) for parts in lists], x, context, recompute=self.recomputes)
        context.see(x)
        return BaseModelOutput(last_hidden_state=x, **context.collected())

    def count(self, input_ids: Tensor | None) -> Tensor | None:
        """How many tokens of each text are not padding; None where that is unknown."""
        return None if input_ids is None else (input_ids != self.config.pad_token_id).sum(1)

    def places_before(self, lengths: Tensor, length: int) -> Tensor:
        """(batch, length): 1 in the first places, as many as the text is long."""
        return (torch.arange(length, device=lengths.device) < lengths[:, None]).long()


class XLMHead(XLMPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = XLMModel


class XLMWithLMHeadModel(XLMHead, heads.CausalLM):
    """Scores of the token at each position itself, masked or, in a causal model, guessed; labels are not shifted."""

    ties: ClassVar[dict[str, str]] = {"pred_layer.proj.weight": "transformer.embeddings.weight"}
    output_embeddings = At("pred_layer.proj")
    output_class = MaskedLMOutput
    label_loss = staticmethod(cross_entropy)

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.emb_dim, config.vocab_size)

    def prepare_inputs_for_generation(self, input_ids: Tensor, *_: Any, **inputs: Any) -> dict[str, Any]:
        """All of the text and a mask token, in whose place the next token is guessed; nothing is kept from before."""
        masked = F.pad(input_ids, (0, 1), value=getattr(self.config, "mask_token_id", None) or 0)
        langs = torch.full_like(masked, getattr(self.config, "lang_id", None) or 0)
        shown: dict[str, Any] = {name: value for name, value in inputs.items() if name.startswith("output_")}
        return {"input_ids": masked, "langs": langs, **shown}


def summarised(model: Any, out: ModelOutput) -> Tensor:
    return model.sequence_summary(out.last_hidden_state)


class XLMForSequenceClassification(XLMHead, heads.SequenceClassification):
    text_vector = summarised

    def build(self, config: Any) -> None:
        self.sequence_summary = heads.SequenceSummary(config, summary_size(config))
        self.classifier = nn.Identity()  # the summary ends at the labels


class XLMForMultipleChoice(XLMHead, heads.MultipleChoice):
    text_vector = summarised
    classifier = At("logits_proj")

    def build(self, config: Any) -> None:
        self.sequence_summary = heads.SequenceSummary(config, summary_size(config))
        self.classifier = nn.Linear(config.num_labels, 1)


def summary_size(config: Any) -> int:
    return config.num_labels if config.summary_proj_to_labels and config.num_labels else config.emb_dim


class XLMForTokenClassification(XLMHead, heads.TokenClassification):
    def head_dropout(self, config: Any) -> float:
        return config.dropout


class XLMForQuestionAnsweringSimple(XLMHead, heads.QuestionAnswering):
    pass


class XLMForQuestionAnsweringOutput(ModelOutput):
    loss: Tensor | None
    start_top_log_probs: Tensor | None
    start_top_index: Tensor | None
    end_top_log_probs: Tensor | None
    end_top_index: Tensor | None
    cls_logits: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class XLMForQuestionAnswering(XLMHead, BeamQuestionAnswering):
    output_class = XLMForQuestionAnsweringOutput
    start_logits = At("qa_outputs.start_logits")
    end_logits = At("qa_outputs.end_logits")
    answer_class = At("qa_outputs.answer_class")
