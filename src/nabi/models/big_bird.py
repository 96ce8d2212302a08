"""BigBird (arXiv:2007.14062): BERT whose blocks of text see their neighbours, the two ends and a few random blocks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..nn import heads, wiring
from ..nn.attention import merge_heads
from ..nn.block import Block
from ..nn.context import Context
from ..nn.embeddings import TextEmbeddings, tokens_or_vectors, word_vectors
from ..nn.head_masks import asked_masks
from ..nn.linear import linear
from ..nn.losses import cross_entropy, span_loss
from ..nn.masks import row_mask
from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions, ModelOutput
from . import bert
from .albert import LinearPooler

logger = logging.getLogger(__name__)

FULL, SPARSE = "original_full", "block_sparse"
PLANNED = (1024, 3072, 4096)  # lengths of its own pre-training, whose random blocks come from the first 1024 tokens


class BigBirdConfig(bert.BertConfig):
    model_type = "big_bird"

    vocab_size: int = 50358
    hidden_act: str = "gelu_new"
    max_position_embeddings: int = 4096
    attention_type: str = SPARSE
    use_bias: bool = True
    rescale_embeddings: bool = False
    block_size: int = 64
    num_random_blocks: int = 3
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    sep_token_id: int | None = 66

    def check(self) -> None:
        super().check()
        self.require("attention_type", (SPARSE, FULL), "set it to one of them")
        self.require(
            "add_cross_attention", (False,), "use a checkpoint without, for what others compute depends on the cache"
        )

    @property
    def longest_full(self) -> int:
        """Up to this length a text is too short for blocks: ends, neighbours and random ones, with room to choose."""
        return (5 + 2 * self.num_random_blocks) * self.block_size


# --- which blocks a block sees ----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def random_blocks(seed: int, heads: int, blocks: int, count: int) -> Tensor:
    """(heads, blocks - 2, count): random blocks for all blocks but the ends, drawn from the first ones as the weights'
    makers drew them; never an end, a neighbour, or what an end's neighbour sees by way of the other end."""
    random, reach = np.random.RandomState(seed), 2 * count + 5
    chosen = np.zeros((heads, blocks, count), dtype=np.int64)
    for row in range(1, blocks):
        taken = {row - 1, row, row + 1, 0, reach - 1, *((reach - 2,) if row == 1 else ())}
        taken |= {1} if row == reach - 2 else set()
        for head in range(heads):
            order = random.permutation(np.arange(reach, dtype=np.int32))
            chosen[head, row] = [block for block in order if block not in taken][:count]
    return torch.from_numpy(chosen[:, 1:-1].copy())


@lru_cache(maxsize=256)
def planned_blocks(seed: int, heads: int, blocks: int, count: int, most: int, block_size: int) -> Tensor:
    """The same for the lengths of its pre-training; most: the blocks of the longest text."""
    random, middle = np.random.RandomState(seed), np.arange(1, most - 1, dtype=np.int32)
    last = 1024 // block_size - 1 if 2 * block_size < 1024 else most - 1
    chosen = np.zeros((heads, most - 2, count), dtype=np.int64)
    for head in range(heads):
        for row in range(1, most - 1):
            if row <= 2:
                allowed = middle[row + 1 : last]
            elif row >= most - 3 or row - 2 > last:
                allowed = middle[:last]
            elif row + 1 == last:
                allowed = middle[: row - 2]
            else:
                allowed = np.concatenate((middle[: row - 2], middle[row + 1 : last]))
            chosen[head, row - 1] = random.permutation(allowed)[:count]
    return torch.from_numpy(chosen[:, : blocks - 2].copy())


@dataclass
class Blocks:
    """Who sees whom, in blocks."""

    config: Any
    real: Tensor  # (batch, blocks, block size), False at padding

    def seen(self, block: Block) -> tuple[Tensor, Tensor]:
        """(heads, blocks - 2, width): the blocks that each but the two ends sees, and whether one stands there twice
        by the rule's form only: an end that is a neighbour too. Outside of training all random blocks are the first."""
        config, blocks, training = self.config, self.real.shape[1], block.training
        count, heads = config.num_random_blocks, config.num_attention_heads
        device, size = self.real.device, config.block_size
        if not training:
            chosen = torch.zeros(heads, blocks - 2, count, dtype=torch.long)
        elif blocks * size in PLANNED:
            chosen = planned_blocks(block.index, heads, blocks, count, config.max_position_embeddings // size, size)
        else:
            chosen = random_blocks(block.index, heads, blocks, count)
        row = torch.arange(1, blocks - 1, device=device)
        ends = torch.zeros_like(row), torch.full_like(row, blocks - 1)
        fixed = torch.stack((ends[0], row - 1, row, row + 1, ends[1]), dim=-1)
        index = torch.cat((fixed.expand(heads, -1, -1), chosen.to(device)), dim=-1)
        twice = torch.zeros_like(index, dtype=torch.bool)
        twice[:, 0, 1] = twice[:, -1, 3] = True
        return index, twice


def sparse_attention(block: Block, x: Tensor, context: Context) -> Tensor:
    """The two ends see and are seen by all; each block between sees itself, its neighbours, the ends, random blocks."""
    blocks: Blocks = context.relative
    q, k, v = (part.unflatten(2, blocks.real.shape[1:]) for part in block.project(x))
    index, twice = blocks.seen(block)
    lowest = torch.finfo(x.dtype).min

    # the two ends: (batch, heads, 2, block size, length)
    ends = q[:, :, [0, -1]] @ k.flatten(2, 3)[:, :, None].transpose(-1, -2) * block.scale
    ends = torch.softmax(ends.masked_fill(~blocks.real.flatten(1)[:, None, None, None], lowest), dim=-1)
    at_ends = ends @ v.flatten(2, 3)[:, :, None]

    # those between: (batch, heads, blocks - 2, block size, width * block size)
    def gathered(each: Tensor) -> Tensor:
        rows = torch.arange(len(index), device=x.device)[:, None, None]
        return each[:, rows, index].flatten(3, 4)

    hidden = ~blocks.real[:, index] | twice[..., None]
    between = q[:, :, 1:-1] @ gathered(k).transpose(-1, -2) * block.scale
    between = torch.softmax(between.masked_fill(hidden.flatten(3)[:, :, :, None], lowest), dim=-1)
    mixed = torch.cat((at_ends[:, :, :1], between @ gathered(v), at_ends[:, :, 1:]), dim=2)
    if context.attentions is not None:
        context.attentions.append(spread(ends, between, index))
    mixed = mixed * blocks.real[:, None, ..., None]
    return linear(block.o, merge_heads(mixed.flatten(2, 3)))


def spread(ends: Tensor, between: Tensor, index: Tensor) -> Tensor:
    """The weights as one matrix (batch, heads, length, length), each pair once even if it was seen several times."""
    batch, heads, rows, size, _ = between.shape
    weights = between.new_zeros(batch, heads, rows, size, rows + 2, size)
    places = index[None, :, :, None, :, None].expand(batch, -1, -1, size, -1, size)
    weights = weights.scatter_reduce(4, places, between.unflatten(-1, (-1, size)), "amax")
    whole = torch.cat((ends[:, :, :1], weights.flatten(-2), ends[:, :, 1:]), dim=2)
    return whole.flatten(2, 3)


def post_norm(block: Block, x: Tensor, context: Context) -> Tensor:
    if context.relative is None:
        return wiring.post_norm(block, x, context)
    x = block.norm_attn(x + block.dropout(sparse_attention(block, x, context)))
    return block.norm_mlp(x + block.dropout(block.feed(x, context)))


# --- the model --------------------------------------------------------------------------------------------------------


class BigBirdBlock(bert.BertBlock):
    stands_alone = False
    wiring = post_norm

    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__(config, index)
        if not config.use_bias:
            self.q, self.k, self.v = (nn.Linear(config.hidden_size, config.hidden_size, bias=False) for _ in range(3))


class NormAfterDropout(nn.LayerNorm):
    def __init__(self, config: Any) -> None:
        super().__init__(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.dropout(x))


class BigBirdEmbeddings(TextEmbeddings):
    """Dropout comes before the norm; words may be scaled."""

    def __init__(self, config: Any) -> None:
        super().__init__(
            vocab_size=config.vocab_size,
            size=config.hidden_size,
            positions=config.max_position_embeddings,
            segments=config.type_vocab_size,
            padding=config.pad_token_id,
            norm_eps=config.layer_norm_eps,
            dropout=0.0,
        )
        self.LayerNorm = NormAfterDropout(config)
        self.scale = config.hidden_size**0.5 if config.rescale_embeddings else 1.0

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past: int = 0,
    ) -> Tensor:
        x = word_vectors(self.word_embeddings, input_ids, tokens_or_vectors(input_ids, inputs_embeds))
        return super().forward(None, token_type_ids, position_ids, x * self.scale, past)


class BigBirdPreTrainedModel(bert.BertPreTrainedModel):
    config_class = BigBirdConfig

    def prune_heads(self, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
        """Refused: each head looks at random blocks of its own, by its number."""
        raise ValueError(f"prune_heads: the heads of {type(self).__name__} look at blocks by their number: keep them")


class BigBirdModel(BigBirdPreTrainedModel, bert.BertModel):
    block_class = BigBirdBlock

    def make_pooler(self, config: Any) -> nn.Module:
        return LinearPooler(config.hidden_size, config.hidden_size)

    def make_embeddings(self, config: Any) -> TextEmbeddings:
        return BigBirdEmbeddings(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As of all text encoders. With config.attention_type "block_sparse" a text longer than config.longest_full is
        read in blocks and takes a mask of (batch, length); a shorter one, or one in a decoder, is read in full."""
        config = self.config
        batch, length = tokens_or_vectors(input_ids, inputs_embeds).shape[:2]
        reads_blocks = config.attention_type == SPARSE and not config.is_decoder
        if reads_blocks and length <= config.longest_full:
            tell_of_short_texts(length, config.longest_full)
            reads_blocks = False
        if not reads_blocks:
            return super().forward(
                input_ids,
                attention_mask,
                token_type_ids,
                position_ids,
                inputs_embeds,
                encoder_hidden_states,
                encoder_attention_mask,
                past_key_values,
                use_cache,
                output_attentions,
                output_hidden_states,
            )
        if asked_masks() is not None:
            raise ValueError(
                f"head_mask: a text of {length} tokens is read in blocks, whose heads are not masked: leave it out, or "
                "set attention_type to 'original_full' in the config"
            )
        x = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        real = row_mask(attention_mask, batch, length, x.device) > 0
        padding = -length % config.block_size
        blocks = Blocks(config, F.pad(real, (0, padding)).unflatten(1, (-1, config.block_size)))
        context = Context(relative=blocks).collect(config, output_hidden_states, output_attentions)
        x = run_stack(self.blocks, F.pad(x, (0, 0, 0, padding)), context, recompute=self.recomputes)
        context.see(x)
        x, seen = x[:, :length], context.collected()
        if "hidden_states" in seen:
            seen["hidden_states"] = tuple(state[:, :length] for state in seen["hidden_states"])
        if "attentions" in seen:
            seen["attentions"] = tuple(weights[:, :, :length, :length] for weights in seen["attentions"])
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=x, pooler_output=self.pooler(x) if self.pooler is not None else None, **seen
        )


@lru_cache(maxsize=8)
def tell_of_short_texts(length: int, limit: int) -> None:
    logger.warning(
        "a text of %d tokens is read with full attention: attention_type 'block_sparse' starts above %d", length, limit
    )


class BigBirdForPreTraining(BigBirdPreTrainedModel, bert.BertForPreTraining):
    body_class: ClassVar[type[PreTrainedModel]] = BigBirdModel
    output_class = bert.BertForPreTrainingOutput

    def loss_of(
        self, prediction: Tensor, relation: Tensor, labels: Tensor | None, next_sentence_label: Tensor | None
    ) -> Any:
        """The masked tokens may be trained alone."""
        loss = cross_entropy(prediction, labels)
        both = loss is not None and next_sentence_label is not None
        return loss + cross_entropy(relation, next_sentence_label) if both else loss


class BigBirdForMaskedLM(BigBirdPreTrainedModel, bert.BertForMaskedLM):
    body_class: ClassVar[type[PreTrainedModel]] = BigBirdModel
    body_options: ClassVar[dict[str, Any]] = {}


class BigBirdForCausalLM(BigBirdPreTrainedModel, bert.BertLMHeadModel):
    body_class: ClassVar[type[PreTrainedModel]] = BigBirdModel
    body_options: ClassVar[dict[str, Any]] = {}


class BigBirdHead(BigBirdPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = BigBirdModel


class BigBirdForSequenceClassification(BigBirdHead, heads.FirstTokenClassification):
    def build(self, config: Any) -> None:
        size, dropout = config.hidden_size, self.head_dropout(config)
        self.classifier = heads.FirstTokenHead(size, config.num_labels, dropout, activation=config.hidden_act)


class BigBirdForMultipleChoice(BigBirdHead, heads.MultipleChoice):
    def head_dropout(self, config: Any) -> float:
        return config.hidden_dropout_prob


class BigBirdForTokenClassification(BigBirdHead, heads.TokenClassification):
    pass


class BigBirdForQuestionAnsweringModelOutput(ModelOutput):
    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class BigBirdForQuestionAnswering(BigBirdHead, heads.QuestionAnswering):
    """The question in front, up to the first separator, is no place for an answer."""

    output_class = BigBirdForQuestionAnsweringModelOutput
    body_options: ClassVar[dict[str, Any]] = {"add_pooling_layer": False}
    up, down = At("qa_classifier.intermediate.dense"), At("qa_classifier.output.dense")
    norm = At("qa_classifier.output.LayerNorm")
    qa_outputs = At("qa_classifier.qa_outputs")

    def build(self, config: Any) -> None:
        super().build(config)
        self.up = nn.Linear(config.hidden_size, config.intermediate_size)
        self.down = nn.Linear(config.intermediate_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.activation = activation_function(config.hidden_act)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        question_lengths: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *args: Any,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """start_logits and end_logits (batch, length). question_lengths (batch, 1): how many tokens the question has,
        its separator included; where token_type_ids are not given either, the question is segment 0."""
        if question_lengths is None and input_ids is not None:
            question_lengths = (input_ids == self.config.sep_token_id).long().argmax(-1, keepdim=True) + 1
        question = None
        if question_lengths is not None:
            length = tokens_or_vectors(input_ids, inputs.get("inputs_embeds")).shape[1]
            question = torch.arange(length, device=question_lengths.device) < question_lengths.view(-1, 1)
            token_type_ids = 1 - question.long() if token_type_ids is None else token_type_ids
        out = self.run_body(input_ids, attention_mask, token_type_ids, *args, **inputs)
        x = out.last_hidden_state
        y = self.down(self.activation(self.up(self.dropout(x))))
        logits = self.qa_outputs(self.norm(self.dropout(y) + x))
        if question is not None:
            question[:, 0] = False  # where "no answer" stands
            logits = logits - 1e6 * question[..., None].to(logits.dtype)
        start, end = logits.unbind(-1)
        loss = span_loss(start, end, start_positions, end_positions)
        return self.answer(out, loss=loss, start_logits=start.contiguous(), end_logits=end.contiguous())
