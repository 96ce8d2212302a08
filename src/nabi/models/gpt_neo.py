"""GPT-Neo: GPT-2 with separate projections, unscaled scores, and every other layer seeing only a window."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import Config
from ..nn import heads
from ..nn.block import ConfigBlock
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm
from .gpt2 import AddedPositionsDecoder, GPT2LMHeadModel, GPT2PreTrainedModel


class GPTNeoConfig(Config):
    model_type = "gpt_neo"
    aliases = {
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "embd_pdrop": "embed_dropout",
        "layer_norm_eps": "layer_norm_epsilon",
        "hidden_act": "activation_function",
        "hidden_dropout_prob": "resid_dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    no_effect = Config.no_effect | {
        *("attention_layers", "summary_type", "summary_use_proj", "summary_activation", "summary_first_dropout"),
        "summary_proj_to_labels",
    }  # the first: attention_types written out

    vocab_size: int = 50257
    max_position_embeddings: int = 2048
    hidden_size: int = 2048
    num_layers: int = 24
    attention_types: list[Any] | None = None
    num_heads: int = 16
    intermediate_size: int | None = None
    window_size: int = 256
    activation_function: str = "gelu_new"
    resid_dropout: float = 0.0
    embed_dropout: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256

    def kinds(self) -> list[str]:
        """ "global" or "local" for each layer; attention_types holds [[kinds in turn], how often] pairs."""
        return [kind for turn, times in self.attention_types or [[["global", "local"], 12]] for kind in turn * times]

    def check(self) -> None:
        super().check()
        kinds = self.kinds()
        if len(kinds) != self.num_layers or set(kinds) - {"global", "local"}:
            raise ValueError(
                f"config key 'attention_types' is {self.attention_types!r}; expected 'global' or 'local' for each of "
                f"the {self.num_layers} layers ('num_layers'), as [[['global', 'local'], {self.num_layers // 2}]]"
            )


class GPTNeoBlock(ConfigBlock):
    wiring = pre_norm
    norm_attn = At("ln_1")
    q, k = At("attn.attention.q_proj"), At("attn.attention.k_proj")
    v, o = At("attn.attention.v_proj"), At("attn.attention.out_proj")
    norm_mlp = At("ln_2")
    up, down = At("mlp.c_fc"), At("mlp.c_proj")

    def __init__(self, config: Any, index: int) -> None:
        super().__init__(
            config,
            index,
            scale=1.0,
            window=config.window_size if config.kinds()[index] == "local" else None,
            inner_size=config.intermediate_size or 4 * config.hidden_size,
            attention_bias=False,
        )


class GPTNeoPreTrainedModel(PreTrainedModel):
    config_class = GPTNeoConfig
    base_model_prefix = "transformer"
    ignored_on_disk = (*GPT2PreTrainedModel.ignored_on_disk, r"attn\.attention\.(masked_)?bias$")


class GPTNeoModel(AddedPositionsDecoder, GPTNeoPreTrainedModel):
    block_class = GPTNeoBlock


class GPTNeoHead(GPTNeoPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GPTNeoModel


class GPTNeoForCausalLM(GPTNeoHead, heads.CausalLM):
    ties = GPT2LMHeadModel.ties
    output_embeddings = At("lm_head")


class GPTNeoForSequenceClassification(GPTNeoHead, heads.LastTokenClassification):
    pass


class GPTNeoForTokenClassification(GPTNeoHead, heads.TokenClassification):
    pass


class GPTNeoForQuestionAnswering(GPTNeoHead, heads.QuestionAnswering):
    pass
