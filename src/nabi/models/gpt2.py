"""GPT-2: a pre-norm decoder with learned positions, its weights stored as (in, out)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor, nn

from ..config import Config
from ..nn import heads
from ..nn.attention import split_heads, thirds
from ..nn.block import Block, ConfigBlock
from ..nn.context import Context
from ..nn.decoder import TextDecoder
from ..nn.embeddings import check_fit, check_length, look_up, places, tokens_or_vectors, word_vectors
from ..nn.linear import Conv1D
from ..nn.losses import cross_entropy, next_token_loss
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm
from ..outputs import CausalLMOutputWithCrossAttentions, ModelOutput


class GPTConfig(Config):
    """The keys that GPT-2 and GPT-J share."""

    aliases = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
        "layer_norm_eps": "layer_norm_epsilon",
        "hidden_act": "activation_function",
        "hidden_dropout_prob": "resid_pdrop",
        "attention_probs_dropout_prob": "attn_pdrop",
    }

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256


class GPT2Config(GPTConfig):
    model_type = "gpt2"
    # reorder_and_upcast_attn: scores in float32, as the kernels here compute them anyway
    no_effect = Config.no_effect | {"n_ctx", "reorder_and_upcast_attn", "predict_special_tokens", "n_special"}

    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    classifier_dropout: float | None = None
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1


def fused_memory(block: Block, memory: Tensor) -> tuple[Tensor, Tensor]:
    """One projection of the encoder's output, all keys before all values."""
    k, v = (split_heads(part, block.head_size) for part in block.cross_kv(memory).chunk(2, dim=-1))
    return k, v


class GPT2Block(ConfigBlock):
    wiring = pre_norm
    project = thirds
    project_memory = fused_memory
    norm_attn = At("ln_1")
    qkv, o = At("attn.c_attn"), At("attn.c_proj")
    norm_cross = At("ln_cross_attn")
    cross_q, cross_kv, cross_o = At("crossattention.q_attn"), At("crossattention.c_attn"), At("crossattention.c_proj")
    norm_mlp = At("ln_2")
    up, down = At("mlp.c_fc"), At("mlp.c_proj")

    def __init__(self, config: Any, index: int) -> None:
        scale = (config.n_embd // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
        super().__init__(
            config,
            index,
            inner_size=config.n_inner or 4 * config.n_embd,
            scale=scale / (index + 1) if config.scale_attn_by_inverse_layer_idx else scale,
            crosses=config.add_cross_attention,
            linear=lambda fan_in, fan_out, bias: Conv1D(fan_out, fan_in),
        )
        if self.crosses:
            self.cross_kv = Conv1D(2 * config.n_embd, config.n_embd)


class GPT2PreTrainedModel(PreTrainedModel):
    config_class = GPT2Config
    base_model_prefix = "transformer"
    ignored_on_disk = (*PreTrainedModel.ignored_on_disk, r"attn\.(masked_)?bias$", r"crossattention\.(masked_)?bias$")

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        std = self.config.initializer_range
        if isinstance(module, Conv1D):
            module.weight.normal_(0.0, std)
            module.bias.zero_()
        elif isinstance(module, GPT2Block):  # the layers that add to the residual stream start smaller
            for role in (module.o, module.down, module.cross_o):
                if role is not None and not role.weight.is_meta:
                    role.weight.normal_(0.0, std / math.sqrt(2 * self.config.n_layer))


class PastFirstDecoder(TextDecoder):
    """A decoder like GPT-2: the cache is its second argument, token types are ids of the vocabulary, and padding has a
    vector like any other token."""

    def make_words(self, config: Any) -> nn.Module:
        return nn.Embedding(config.vocab_size, config.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """As any decoder's; the inputs are those of `run`, and token_type_ids (batch, length), added to the words."""
        if token_type_ids is not None:
            given = tokens_or_vectors(input_ids, inputs_embeds)
            check_fit("token_type_ids", token_type_ids, given)
            words = word_vectors(self.word_embeddings, input_ids, given)
            input_ids, inputs_embeds = None, words + look_up(self.word_embeddings, token_type_ids, "token_type_ids")
        return super().forward(
            input_ids, attention_mask, position_ids, past_key_values, inputs_embeds=inputs_embeds, **inputs
        )


class AddedPositionsDecoder(PastFirstDecoder):
    """A decoder that adds learned positions to the words, under GPT-2's names."""

    dropout_key = "embd_pdrop"
    word_embeddings = At("wte")
    blocks = At("h")
    final_norm = At("ln_f")

    def build(self, config: Any) -> None:
        self.wpe = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def embed(
        self, words: Tensor, position_ids: Tensor | None, attention_mask: Tensor | None, context: Context
    ) -> Tensor:
        check_length(context.past + words.shape[1], self.wpe.num_embeddings)
        return words + look_up(self.wpe, places(position_ids, words, context.past), "position_ids")


class GPT2Model(AddedPositionsDecoder, GPT2PreTrainedModel):
    block_class = GPT2Block


class GPT2Head(GPT2PreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = GPT2Model


class GPT2LMHeadModel(GPT2Head, heads.CausalLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "transformer.wte.weight"}
    output_embeddings = At("lm_head")
    output_class = CausalLMOutputWithCrossAttentions


class GPT2DoubleHeadsModelOutput(ModelOutput):
    loss: Tensor | None
    mc_loss: Tensor | None
    logits: Tensor
    mc_logits: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class GPT2DoubleHeadsModel(GPT2Head, heads.HeadModel):
    """Next tokens and multiple choice at once: inputs (batch, choices, length)."""

    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "transformer.wte.weight"}
    output_embeddings = At("lm_head")

    def build(self, config: Any) -> None:
        config.num_labels = 1
        self.output_embeddings = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.multiple_choice_head = heads.SequenceSummary(
            config, config.num_labels if config.summary_proj_to_labels else config.n_embd
        )

    def forward(
        self,
        *args: Any,
        mc_token_ids: Tensor | None = None,
        labels: Tensor | None = None,
        mc_labels: Tensor | None = None,
        **inputs: Any,
    ) -> GPT2DoubleHeadsModelOutput:
        """logits (batch, choices, length, vocabulary), mc_logits (batch, choices).

        mc_token_ids (batch, choices): the token that speaks for each choice, default the last. labels are the
        tokens themselves, mc_labels (batch,) the right choices.
        """
        ids = args[0] if args else inputs.get("input_ids")
        lead = ids.shape[:-1] if ids is not None else inputs["inputs_embeds"].shape[:-2]

        def flat(value: Any) -> Any:
            leads = isinstance(value, Tensor) and value.dim() > len(lead) and value.shape[: len(lead)] == lead
            return value.flatten(0, len(lead) - 1) if leads else value

        out = self.run_body(*map(flat, args), **{name: flat(value) for name, value in inputs.items()})
        hidden = out.last_hidden_state.view(*lead, *out.last_hidden_state.shape[1:])
        logits = self.output_embeddings(hidden)
        choices = self.multiple_choice_head(hidden, mc_token_ids).squeeze(-1)
        return GPT2DoubleHeadsModelOutput(
            loss=next_token_loss(logits, labels),
            mc_loss=cross_entropy(choices, mc_labels),
            logits=logits,
            mc_logits=choices,
            past_key_values=out.past_key_values,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )


class GPT2ForSequenceClassification(GPT2Head, heads.LastTokenClassification):
    pass


class GPT2ForTokenClassification(GPT2Head, heads.TokenClassification):
    def head_dropout(self, config: Any) -> float:
        return 0.1 if config.classifier_dropout is None else config.classifier_dropout


class GPT2ForQuestionAnswering(GPT2Head, heads.QuestionAnswering):
    pass
