"""Longformer (arXiv:2004.05150): RoBERTa that sees near tokens only, but for a few that see all and are seen by all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import merge_heads, split_heads
from ..nn.block import Block
from ..nn.context import Context
from ..nn.embeddings import tokens_or_vectors
from ..nn.head_masks import asked_masks, masked_weights
from ..nn.linear import linear
from ..nn.masks import row_mask
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import ModelOutput
from .bert import BertBlock, EncoderConfig
from .roberta import RobertaModel, VocabularyHeadRoles

logger = logging.getLogger(__name__)


class LongformerConfig(EncoderConfig):
    """`attention_window` is how many tokens a token sees around itself, half of them on each side: one number, or one
    for each layer."""

    model_type = "longformer"
    no_effect = Config.no_effect | {"onnx_export"}
    only = {
        "attention_mode": "longformer",
        "autoregressive": False,
        "ignore_attention_mask": False,
        "position_embedding_type": "absolute",
    }

    attention_window: int | list[int] = 512
    type_vocab_size: int = 2
    sep_token_id: int | None = 2
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2

    def check(self) -> None:
        super().check()
        for key in ("is_decoder", "add_cross_attention"):
            self.require(key, (False,), "this family only encodes")
        windows, widest = self.windows(), max(self.windows(), default=2)
        fits = all(window > 0 and window % 2 == 0 and widest % window == 0 for window in windows)
        if len(windows) != self.num_hidden_layers or not fits:
            raise ValueError(
                f"config key 'attention_window' is {self.attention_window!r}; expected an even number above 0, or a "
                f"list of them, of which the largest is a multiple of all, one for each of 'num_hidden_layers' "
                f"{self.num_hidden_layers}"
            )

    def windows(self) -> list[int]:
        """The window of each layer."""
        window = self.attention_window
        return [window] * self.num_hidden_layers if isinstance(window, int) else list(window)


@dataclass
class Places:
    """Who sees whom in one pass, and the attentions of the few that see all."""

    real: Tensor  # (batch, length), False at padding
    near: Tensor  # (batch, length), True for tokens that are seen from near only
    index: Tensor  # (batch, count): the places of the tokens that are seen by all, filled up with others
    counts: Tensor  # (batch, count), False where filled up
    attentions: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, mask: Tensor) -> Places:
        """mask (batch, length): 0 at padding, 1 at tokens seen from near, 2 at tokens seen by all."""
        everywhere = mask == 2
        number = everywhere.sum(1)
        most = int(number.max())
        index = torch.argsort(everywhere.long(), dim=1, descending=True, stable=True)[:, :most]
        return cls(mask > 0, mask == 1, index, torch.arange(most, device=mask.device) < number[:, None])

    def pick(self, x: Tensor) -> Tensor:
        """(batch, heads, length, head size) -> (batch, heads, count, head size)"""
        return x.gather(2, self.index[:, None, :, None].expand(-1, x.shape[1], -1, x.shape[-1]))


def overlapping(x: Tensor, half: int) -> Tensor:
    """(batch, heads, length, …) -> (batch, heads, length / half, 3 half, …): each part with its neighbours; zeros
    stand before the first and behind the last."""
    ends = (0, 0) * (x.dim() - 3) + (half, half)
    return F.pad(x, ends).unfold(2, 3 * half, half).movedim(-1, 3)


def sliding_attention(block: Any, x: Tensor, context: Context) -> Tensor:
    """Each token mixes the tokens at most half a window away and those that are seen by all; these mix all tokens, with
    projections of their own."""
    places: Places = context.relative
    half, count = block.window // 2, places.index.shape[1]
    q, k, v = block.project(x)
    q = (q * block.scale).unflatten(2, (-1, half))
    near = (q @ overlapping(k, half).transpose(-1, -2)).flatten(2, 3)  # (batch, heads, length, 3 half)
    offset = torch.arange(3 * half, device=x.device) - half - torch.arange(half, device=x.device)[:, None]
    within = (offset.abs() <= half) & overlapping(places.near[:, None].long(), half)[:, :, :, None].bool()
    lowest = torch.finfo(near.dtype).min
    near = near.masked_fill(~within.flatten(2, 3), lowest)
    by_all = q.flatten(2, 3) @ places.pick(k).transpose(-1, -2)
    by_all = by_all.masked_fill(~places.counts[:, None, None], lowest)
    weights = torch.softmax(torch.cat((by_all, near), dim=-1), dim=-1, dtype=torch.float32).to(x.dtype)
    weights = masked_weights(weights, context.head_masks, block.index)
    weights = weights.masked_fill(~places.real[:, None, :, None], 0.0)
    weights = F.dropout(weights, block.attention_dropout, block.training)
    mixed = weights[..., count:].unflatten(2, (-1, half)) @ overlapping(v, half)
    mixed = mixed.flatten(2, 3) + weights[..., :count] @ places.pick(v)
    if context.attentions is not None:
        context.attentions.append(band(weights, places, half))
    if count:
        mixed = overview(block, x, mixed, places, context)
    return linear(block.o, merge_heads(mixed))


def band(weights: Tensor, places: Places, half: int) -> Tensor:
    """The weights as callers see them: tokens seen by all, then from half a window before to half a window behind."""
    count, length = places.index.shape[1], weights.shape[2]
    row = torch.arange(length, device=weights.device)[:, None] % half
    columns = count + row + torch.arange(2 * half + 1, device=weights.device)
    near = weights.gather(-1, columns.expand(*weights.shape[:2], -1, -1))
    rows = places.real & ~places.near  # what sees all has its weights elsewhere
    return torch.cat((weights[..., :count], near), dim=-1).masked_fill(rows[:, None, :, None], 0.0)


def overview(block: Any, x: Tensor, mixed: Tensor, places: Places, context: Context) -> Tensor:
    """What the tokens that see all make of the whole text, put in their places."""
    q = split_heads(block.global_q(x), block.head_size) * block.scale
    k, v = (split_heads(role(x), block.head_size) for role in (block.global_k, block.global_v))
    scores = places.pick(q) @ k.transpose(-1, -2)
    seen = places.counts[:, None, :, None] & places.real[:, None, None]
    scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(x.dtype)
    weights = masked_weights(weights, context.head_masks, block.index)
    weights = F.dropout(weights, block.attention_dropout, block.training)
    if context.attentions is not None:
        places.attentions.append(weights.transpose(2, 3))
    rows, slots = places.counts.nonzero(as_tuple=True)
    found = (weights @ v).transpose(1, 2)[rows, slots]
    return mixed.transpose(1, 2).index_put((rows, places.index[rows, slots]), found).transpose(1, 2)


def post_norm(block: Block, x: Tensor, context: Context) -> Tensor:
    x = block.norm_attn(x + block.dropout(sliding_attention(block, x, context)))
    return block.norm_mlp(x + block.dropout(block.feed(x, context)))


class LongformerBlock(BertBlock):
    stands_alone = False
    wiring = post_norm
    of_heads = (*BertBlock.of_heads, "global_q", "global_k", "global_v")
    global_q, global_k = At("attention.self.query_global"), At("attention.self.key_global")
    global_v = At("attention.self.value_global")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index)
        self.window = config.windows()[index]
        size = config.hidden_size
        self.global_q, self.global_k, self.global_v = (nn.Linear(size, size) for _ in range(3))


class LongformerPreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = LongformerConfig
    base_model_prefix = "longformer"


class LongformerModelOutput(ModelOutput):
    """attentions (batch, heads, length, tokens seen by all + window + 1), in that order; global_attentions
    (batch, heads, length, tokens seen by all): how those look at all others, padding to whole windows included."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    global_attentions: tuple[Tensor, ...] | None


class LongformerModel(LongformerPreTrainedModel, RobertaModel):
    block_class: ClassVar[Callable[..., Block]] = LongformerBlock

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerModelOutput:
        """last_hidden_state (batch, length, hidden) and pooler_output (batch, hidden).

        attention_mask (batch, length), 1 at real tokens; global_attention_mask (batch, length), 1 at tokens that see
        all others and are seen by them. The text is padded to whole windows inside.
        """
        config = self.config
        batch, length = tokens_or_vectors(input_ids, inputs_embeds).shape[:2]
        x = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        mask = row_mask(attention_mask, batch, length, x.device).long()
        if global_attention_mask is not None:
            if global_attention_mask.shape != mask.shape:
                raise ValueError(
                    f"global_attention_mask has shape {tuple(global_attention_mask.shape)}; expected {(batch, length)}"
                )
            mask = mask * (1 + global_attention_mask.long())
        padding = -length % max(config.windows(), default=1)
        places = Places.of(F.pad(mask, (0, padding)))
        context = Context(relative=places, head_masks=asked_masks())
        context.collect(config, output_hidden_states, output_attentions)
        x = run_stack(self.blocks, F.pad(x, (0, 0, 0, padding)), context, recompute=self.recomputes)
        context.see(x)
        x, seen = x[:, :length], context.collected()
        return LongformerModelOutput(
            last_hidden_state=x,
            pooler_output=self.pooler(x) if self.pooler is not None else None,
            hidden_states=tuple(state[:, :length] for state in seen["hidden_states"])
            if "hidden_states" in seen
            else None,
            attentions=tuple(weights[:, :, :length] for weights in seen["attentions"])
            if "attentions" in seen
            else None,
            global_attentions=tuple(places.attentions) or None,
        )


class LongformerHead(LongformerPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = LongformerModel
    body_options: ClassVar[dict[str, Any]] = {"add_pooling_layer": False}

    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob

    def run_body(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        *args: Any,
        **inputs: Any,
    ) -> Any:
        if global_attention_mask is None:
            given = input_ids if input_ids is not None else inputs.get("inputs_embeds")
            global_attention_mask = None if given is None else self.seen_by_all(input_ids, given)
        return self.base_model(input_ids, attention_mask, global_attention_mask, *args, return_dict=True, **inputs)

    def seen_by_all(self, input_ids: Tensor | None, given: Tensor) -> Tensor | None:
        """(batch, length): the tokens that see all where the caller names none."""
        return None


def around_question(input_ids: Tensor | None, separator: int, before: bool) -> Tensor | None:
    """1 at the tokens of a question, which end at the first of three separators; or at those behind the second."""
    if input_ids is None:
        logger.warning("inputs_embeds do not tell where a question ends: pass global_attention_mask, or none sees all")
        return None
    ends = input_ids == separator
    if not bool((ends.sum(1) == 3).all()):
        raise ValueError(
            f"each text must hold the separator, id {separator}, three times (question, separator twice, text, "
            f"separator), but they hold it {ends.sum(1).tolist()} times: pass global_attention_mask"
        )
    first = ends.long().argmax(1, keepdim=True)
    places = torch.arange(input_ids.shape[1], device=input_ids.device)
    return (places < first).long() if before else (places > first + 1).long()


class LongformerMaskedLMOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    global_attentions: tuple[Tensor, ...] | None


class LongformerForMaskedLM(VocabularyHeadRoles, LongformerHead, heads.MaskedLM):
    output_class = LongformerMaskedLMOutput
    ties: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "longformer.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }


class LongformerSequenceClassifierOutput(LongformerMaskedLMOutput):
    pass


class LongformerForSequenceClassification(LongformerHead, heads.FirstTokenClassification):
    """The first token sees all where the caller names none."""

    output_class = LongformerSequenceClassifierOutput

    def seen_by_all(self, input_ids: Tensor | None, given: Tensor) -> Tensor | None:
        first = torch.zeros(given.shape[:2], dtype=torch.long, device=given.device)
        first[:, 0] = 1
        return first


class LongformerMultipleChoiceModelOutput(LongformerMaskedLMOutput):
    pass


class LongformerForMultipleChoice(LongformerHead, heads.MultipleChoice):
    """The choice, behind the question, sees all where the caller names none."""

    output_class = LongformerMultipleChoiceModelOutput
    body_options: ClassVar = {"add_pooling_layer": True}

    def seen_by_all(self, input_ids: Tensor | None, given: Tensor) -> Tensor | None:
        return around_question(input_ids, self.config.sep_token_id, before=False)


class LongformerTokenClassifierOutput(LongformerMaskedLMOutput):
    pass


class LongformerForTokenClassification(LongformerHead, heads.TokenClassification):
    output_class = LongformerTokenClassifierOutput


class LongformerQuestionAnsweringModelOutput(ModelOutput):
    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    global_attentions: tuple[Tensor, ...] | None


class LongformerForQuestionAnswering(LongformerHead, heads.QuestionAnswering):
    """The question sees all where the caller names none."""

    output_class = LongformerQuestionAnsweringModelOutput

    def seen_by_all(self, input_ids: Tensor | None, given: Tensor) -> Tensor | None:
        return around_question(input_ids, self.config.sep_token_id, before=True)
