"""CLIP's text half (arXiv:2103.00020), and what towers of text and of images share."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.block import ConfigBlock
from ..nn.context import open_context
from ..nn.embeddings import check_length, look_up, places, tokens_or_vectors
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.stack import run_stack
from ..nn.wiring import pre_norm
from ..outputs import BaseModelOutputWithPooling, ModelOutput


class CLIPTextConfig(Config):
    model_type = "clip_text_model"
    inside = "text_config"
    # Old files name a dropout that no version has; and first weights go by other measures.
    no_effect = Config.no_effect | {"dropout", "initializer_range"}

    vocab_size: int = 49408
    hidden_size: int = 512
    intermediate_size: int = 2048
    projection_dim: int = 512
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_factor: float = 1.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | list[int] | None = 49407


class TowerBlock(ConfigBlock):
    wiring = pre_norm
    q, k, v = At("self_attn.q_proj"), At("self_attn.k_proj"), At("self_attn.v_proj")
    o, norm_attn = At("self_attn.out_proj"), At("layer_norm1")
    up, down, norm_mlp = At("mlp.fc1"), At("mlp.fc2"), At("layer_norm2")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(config, index, dropout=0.0, attention_dropout=config.attention_dropout)
        self.depth = config.num_hidden_layers  # of the tower: its first weights go by it


class TextTower(PreTrainedModel):
    """Words and positions -> blocks -> norm -> one vector for the text, by `pool`."""

    base_model_prefix = "text_model"
    causal: ClassVar[bool]
    word_embeddings, positions = At("embeddings.token_embedding"), At("embeddings.position_embedding")
    blocks, norm = At("encoder.layers"), At("final_layer_norm")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.blocks = nn.ModuleList(TowerBlock(config, i) for i in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """What pools."""

    def pool(self, x: Tensor, input_ids: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} has no pooling")

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """last_hidden_state (batch, length, hidden) and pooler_output (batch, hidden) of input_ids (batch, length);
        attention_mask (batch, length) with 1 at real tokens."""
        length = tokens_or_vectors(input_ids, None).shape[1]
        check_length(length, self.positions.num_embeddings)
        context = open_context(
            self.config,
            input_ids,
            causal=self.causal,
            attention_mask=attention_mask,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = look_up(self.word_embeddings, input_ids)
        x = x + look_up(self.positions, places(position_ids, x), "position_ids")
        x = run_stack(self.blocks, x, context, recompute=self.recomputes)
        context.see(x)
        x = self.norm(x)
        return BaseModelOutputWithPooling(
            last_hidden_state=x, pooler_output=self.pool(x, input_ids), **context.collected()
        )


class CLIPWeights(PreTrainedModel):
    """First values: blocks by their width and the depth of their tower, as small as the sum of all should stay."""

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        factor = self.config.initializer_factor
        if isinstance(module, TextTower):
            fill(module.word_embeddings, factor * 0.02)
            fill(module.positions, factor * 0.02)
        elif isinstance(module, TowerBlock):
            size = module.q.in_features
            inside = size**-0.5 * (2 * module.depth) ** -0.5 * factor
            for role in (module.q, module.k, module.v, module.down):
                fill(role, inside)
            fill(module.o, size**-0.5 * factor)
            fill(module.up, (2 * size) ** -0.5 * factor)
        for name in ("text_projection", "visual_projection"):
            projection: Any = module._modules.get(name)
            if projection is not None:
                fill(projection, projection.in_features**-0.5 * factor)


def fill(layer: Any, std: float) -> None:
    if not layer.weight.is_meta:
        layer.weight.normal_(0.0, std)


class CLIPTextPreTrainedModel(CLIPWeights):
    config_class = CLIPTextConfig
    base_model_prefix = "text_model"


class CLIPTextModel(CLIPTextPreTrainedModel, TextTower):
    """The end token speaks for the text, as each token sees those before it."""

    causal = True

    def pool(self, x: Tensor, input_ids: Tensor) -> Tensor:
        end = self.config.eos_token_id
        end = end[0] if isinstance(end, list) else end
        rows = torch.arange(len(x), device=x.device)
        if end == 2:  # so the first files say, whose end token is the one with the highest number
            return x[rows, input_ids.argmax(-1)]
        ends = input_ids == end
        if not torch.compiler.is_compiling() and ends.device.type == "cpu" and not bool(ends.any(-1).all()):
            raise ValueError(
                f"a text has no end token (eos_token_id {end}), which speaks for it: tokenize with the tokenizer that "
                "belongs to the model, and with its special tokens"
            )
        return x[rows, ends.int().argmax(-1)]


class CLIPTextModelOutput(ModelOutput):
    text_embeds: Tensor
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class CLIPTextModelWithProjection(CLIPTextPreTrainedModel, heads.HeadModel):
    """The text's vector where it can be compared with an image's."""

    body_class = CLIPTextModel

    def build(self, config: Any) -> None:
        self.text_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)

    def forward(self, input_ids: Tensor, *args: Any, **inputs: Any) -> CLIPTextModelOutput:
        """text_embeds (batch, projection_dim)"""
        out = self.run_body(input_ids, *args, **inputs)
        text = self.text_projection(out.pooler_output)
        return CLIPTextModelOutput(text_embeds=text, last_hidden_state=out.last_hidden_state, **heads.seen(out))
