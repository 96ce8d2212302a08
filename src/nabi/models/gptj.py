"""GPT-J: attention and MLP side by side on one norm; the first dimensions of a head turn in neighbouring pairs."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from ..config import Config
from ..nn import heads
from ..nn.block import Block, ConfigBlock
from ..nn.context import Context
from ..nn.embeddings import check_length, places
from ..nn.positions import rotary_table
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import parallel
from .gpt2 import GPT2LMHeadModel, GPT2PreTrainedModel, GPTConfig, PastFirstDecoder


class GPTJConfig(GPTConfig):
    model_type = "gptj"
    no_effect = Config.no_effect | {
        *("rotary", "scale_attn_weights", "summary_type", "summary_use_proj", "summary_activation"),
        *("summary_first_dropout", "summary_proj_to_labels", "n_ctx", "n_vocab", "jax"),
    }

    vocab_size: int = 50400
    n_positions: int = 2048
    n_embd: int = 4096
    n_layer: int = 28
    n_head: int = 16
    rotary_dim: int = 64
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    attn_pdrop: float = 0.0
    tie_word_embeddings: bool = False


def by_pairs(block: Block, q: Tensor, k: Tensor, context: Context) -> tuple[Tensor, Tensor]:
    """Queries and keys turned by their positions: each two neighbours are the coordinates of one rotation."""
    assert context.rotary is not None
    size = context.rotary[0].shape[-1]
    cos, sin = (table[..., : size // 2].repeat_interleave(2, dim=-1) for table in context.rotary)

    def turn(x: Tensor) -> Tensor:
        x, rest = x[..., :size], x[..., size:]
        other = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)
        return torch.cat((x * cos + other * sin, rest), dim=-1)

    return turn(q), turn(k)


class GPTJBlock(ConfigBlock):
    wiring = parallel
    place = by_pairs
    norm_attn = At("ln_1")
    q, k, v, o = At("attn.q_proj"), At("attn.k_proj"), At("attn.v_proj"), At("attn.out_proj")
    up, down = At("mlp.fc_in"), At("mlp.fc_out")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            inner_size=config.n_inner or 4 * config.n_embd,
            attention_bias=False,
            output_bias=False,
        )


class GPTJPreTrainedModel(PreTrainedModel):
    config_class = GPTJConfig
    base_model_prefix = "transformer"
    ignored_on_disk = (*GPT2PreTrainedModel.ignored_on_disk, r"attn\.embed_positions$")


class GPTJModel(PastFirstDecoder, GPTJPreTrainedModel):
    dropout_key = "embd_pdrop"
    block_class = GPTJBlock
    word_embeddings = At("wte")
    blocks = At("h")
    final_norm = At("ln_f")

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        check_length(context.past + words.shape[1], self.config.n_positions)
        position_ids = places(position_ids, words, context.past)
        context.rotary = rotary_table(position_ids, self.config.rotary_dim, {"rope_theta": 10000.0}, words.dtype)
        return words


class GPTJHead(GPTJPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GPTJModel


class GPTJForCausalLM(GPTJHead, heads.CausalLM):
    ties = GPT2LMHeadModel.ties
    output_embeddings = At("lm_head")
    output_bias = True


class GPTJForSequenceClassification(GPTJHead, heads.LastTokenClassification):
    pass


class GPTJForQuestionAnswering(GPTJHead, heads.QuestionAnswering):
    pass
