"""LLaMA (arXiv:2302.13971): a pre-norm decoder with RMS norm, rotary positions, shared key heads and a gated MLP."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import Config
from ..nn import heads
from ..nn.attention import normed_heads
from ..nn.block import ConfigBlock
from ..nn.decoder import RotaryDecoder
from ..nn.mlp import gated
from ..nn.norms import RMSNorm
from ..nn.positions import check_rope
from ..nn.pretrained import PreTrainedModel
from ..nn.roles import At
from ..nn.wiring import pre_norm


class RopeConfig(Config):
    """The rotary keys: rope_scaling, and rope_theta, which families declare; or both as rope_parameters."""

    max_position_embeddings: int = 2048
    rope_scaling: dict[str, Any] | None = None

    def __init__(self, **keys: Any) -> None:
        together = keys.pop("rope_parameters", None)
        super().__init__(**{**keys, **(_apart(together) if together else {})})

    @classmethod
    def is_key(cls, key: str) -> bool:
        return key == "rope_parameters" or super().is_key(key)

    @property
    def rope_parameters(self) -> dict[str, Any]:
        return self.rope()

    @rope_parameters.setter
    def rope_parameters(self, together: dict[str, Any]) -> None:
        self.update(_apart(together))

    def rope(self) -> dict[str, Any]:
        """All that the rotary angles depend on."""
        scaling = dict(self.rope_scaling or {})
        kind = scaling.pop("rope_type", None) or scaling.pop("type", None) or "default"
        return {
            "max_position_embeddings": self.max_position_embeddings,
            **scaling,
            "rope_type": kind,
            "rope_theta": self.rope_theta,
        }

    def check(self) -> None:
        super().check()
        check_rope(self.rope())


def _apart(together: dict[str, Any]) -> dict[str, Any]:
    """rope_theta, partial_rotary_factor and rope_scaling out of one rope_parameters."""
    if not isinstance(together, dict):
        raise ValueError(
            f"config key 'rope_parameters' is {together!r}; expected an object with keys such as rope_type"
        )
    scaling = dict(together)
    own: dict[str, Any] = {key: scaling.pop(key) for key in ("rope_theta", "partial_rotary_factor") if key in scaling}
    return {**own, "rope_scaling": None if scaling.get("rope_type", "default") == "default" else scaling}


class DecoderConfig(RopeConfig):
    """The keys that LLaMA's relatives share, and the choices that are keys in some of them only."""

    aliases = {"layer_norm_eps": "rms_norm_eps", "attention_probs_dropout_prob": "attention_dropout"}
    attention_bias = mlp_bias = False

    rope_theta: float = 10000.0
    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    tie_word_embeddings: bool = False
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    @property
    def output_bias(self) -> bool:
        """Whether attention's output projection has a bias."""
        return False

    @property
    def rotary_size(self) -> int:
        """How many of a head's dimensions turn with the position."""
        return self.head_dim or 0

    def window(self, layer: int) -> int | None:
        """How many of the last positions a layer sees; None: all of them."""
        return None

    def check(self) -> None:
        super().check()
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads


class LayerTypesConfig(DecoderConfig):
    """Decoders with layers of two kinds: `layer_types` says "sliding_attention" of those that see the last
    `sliding_window` positions only, "full_attention" of the others. Where it is not given, `slides` decides."""

    sliding_window: int | None = 4096
    layer_types: list[str] | None = None

    def slides(self, layer: int) -> bool:
        """Every other layer, the first among them."""
        return layer % 2 == 0

    def window(self, layer: int) -> int | None:
        return self.sliding_window if (self.layer_types or [])[layer] == "sliding_attention" else None

    def check(self) -> None:
        super().check()
        kinds = ("full_attention", "sliding_attention")
        if self.layer_types is None:
            slides = self.sliding_window is not None
            self.layer_types = [kinds[slides and self.slides(layer)] for layer in range(self.num_hidden_layers)]
        if set(self.layer_types) - set(kinds) or len(self.layer_types) != self.num_hidden_layers:
            raise ValueError(
                f"config key 'layer_types' is {self.layer_types!r}; expected 'full_attention' or 'sliding_attention' "
                f"for each of the {self.num_hidden_layers} layers"
            )


class LlamaConfig(DecoderConfig):
    model_type = "llama"
    # pretraining_tp: the same sums in another order
    no_effect = Config.no_effect | {"pretraining_tp", "is_llama_config", "max_sequence_length"}
    only = {"rope_interleaved": False}

    attention_bias: bool = False
    mlp_bias: bool = False

    @property
    def output_bias(self) -> bool:
        return self.attention_bias


class LlamaBlock(ConfigBlock):
    hooks_see_tuples = False
    norm_class: ClassVar[Any] = RMSNorm
    wiring = pre_norm
    feed = gated
    norm_attn = At("input_layernorm")
    q, k, v, o = At("self_attn.q_proj"), At("self_attn.k_proj"), At("self_attn.v_proj"), At("self_attn.o_proj")
    norm_mlp = At("post_attention_layernorm")
    gate, up, down = At("mlp.gate_proj"), At("mlp.up_proj"), At("mlp.down_proj")

    def __init__(self, config: Any, index: int, **options: Any) -> None:
        super().__init__(
            config,
            index,
            kv_heads=config.num_key_value_heads,
            head_size=config.head_dim,
            window=config.window(index),
            attention_bias=config.attention_bias,
            output_bias=config.output_bias,
            mlp_bias=config.mlp_bias,
            **{"dropout": 0.0, **options},
        )


class NormedHeadsBlock(LlamaBlock):
    """LLaMA's block with each head's queries and keys normalised."""

    project = normed_heads
    head_norm_q, head_norm_k = At("self_attn.q_norm"), At("self_attn.k_norm")

    def __init__(self, config: Any, index: int, **options: Any) -> None:
        super().__init__(config, index, **options)
        self.head_norm_q = self.norm_class(config.head_dim, config.rms_norm_eps)
        self.head_norm_k = self.norm_class(config.head_dim, config.rms_norm_eps)


class LlamaPreTrainedModel(PreTrainedModel):
    config_class: ClassVar[type[Config]] = LlamaConfig
    base_model_prefix = "model"
    renames: ClassVar[tuple[tuple[str, str], ...]] = ((r"^transformer\.", "model."),)  # of question answering
    ignored_on_disk = (*PreTrainedModel.ignored_on_disk, r"rotary_emb\.inv_freq$")


class LlamaModel(RotaryDecoder, LlamaPreTrainedModel):
    block_class: ClassVar[Any] = LlamaBlock
    norm_class: ClassVar[Any] = RMSNorm
    word_embeddings = At("embed_tokens")
    blocks = At("layers")
    final_norm = At("norm")


class LlamaHead(LlamaPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = LlamaModel


class LlamaForCausalLM(LlamaHead, heads.CausalLM):
    ties: ClassVar[dict[str, str]] = {"lm_head.weight": "model.embed_tokens.weight"}
    output_embeddings = At("lm_head")


class LlamaForSequenceClassification(LlamaHead, heads.LastTokenClassification):
    pass


class LlamaForTokenClassification(LlamaHead, heads.TokenClassification):
    classifier = At("score")

    def head_dropout(self, config: Any) -> float:
        return 0.1 if config.classifier_dropout is None else config.classifier_dropout


class LlamaForQuestionAnswering(LlamaHead, heads.QuestionAnswering):
    base_model_prefix = "transformer"  # the name that its files have
    renames = ((r"^model\.", "transformer."),)
