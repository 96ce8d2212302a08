"""The registry of the parity suite: tiny configurations of every family. A family added here brings its tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nabi.models import FAMILIES

ENCODER: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
DECODES = {"is_decoder": True, "add_cross_attention": True}
DECODER: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "classifier_dropout": 0.0,
}
ROTARY = ("llama", "mistral", "mixtral", "qwen2", "qwen3")
DECODERS = ("gpt2", *ROTARY)
T5 = {
    "vocab_size": 60,
    "d_model": 16,
    "d_kv": 6,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "dropout_rate": 0.0,
    "decoder_start_token_id": 0,
}
WAV2VEC2 = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "conv_dim": [8, 8, 12],
    "conv_stride": [5, 2, 2],
    "conv_kernel": [10, 3, 3],
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
    "num_codevectors_per_group": 6,
    "codevector_dim": 8,
    "proj_codevector_dim": 10,
    "classifier_proj_size": 6,
    "tdnn_dim": [8, 8],
    "tdnn_kernel": [3, 2],
    "tdnn_dilation": [1, 2],
    "xvector_output_dim": 9,
    "hidden_dropout": 0.0,
    "activation_dropout": 0.0,
    "attention_dropout": 0.0,
    "final_dropout": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": True,
    "mask_time_prob": 0.05,
    "mask_time_min_masks": 0,
    "mask_time_length": 2,
}


@dataclass(frozen=True)
class Case:
    """One configuration of a family; `only` limits it to some heads (endings of class names)."""

    name: str
    family: str
    keys: dict[str, Any] = field(hash=False)
    only: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        return FAMILIES[self.family][0].removesuffix("Config")

    @property
    def heads(self) -> list[str]:
        names = [name.removeprefix(self.prefix) for name in FAMILIES[self.family]]
        names = [name for name in names if name not in ("Config", "PreTrainedModel")]
        return [name for name in names if not self.only or name in self.only]


CASES = [
    Case("bert", "bert", ENCODER),
    Case("bert-decoder", "bert", {**ENCODER, **DECODES}, only=("LMHeadModel",)),
    Case("roberta", "roberta", {**ENCODER, "type_vocab_size": 1}),
    Case("roberta-decoder", "roberta", {**ENCODER, **DECODES}, only=("ForCausalLM",)),
    Case("xlm-roberta", "xlm_roberta", {**ENCODER, "type_vocab_size": 1}),
    Case("camembert", "camembert", {**ENCODER, "type_vocab_size": 1}),
    Case("electra", "electra", {**ENCODER, "embedding_size": 12, "summary_last_dropout": 0.0}),
    Case("electra-decoder", "electra", {**ENCODER, **DECODES, "embedding_size": 16}, only=("ForCausalLM",)),
    Case(
        "distilbert",
        "distilbert",
        {
            "vocab_size": 60,
            "dim": 16,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 24,
            "max_position_embeddings": 24,
            "dropout": 0.0,
            "attention_dropout": 0.0,
            "seq_classif_dropout": 0.0,
            "qa_dropout": 0.0,
        },
    ),
    Case("albert", "albert", {**ENCODER, "embedding_size": 12, "classifier_dropout_prob": 0.0}),
    Case(
        "albert-groups",
        "albert",
        {**ENCODER, "embedding_size": 12, "num_hidden_layers": 4, "num_hidden_groups": 2, "hidden_act": "gelu"},
        only=("Model",),
    ),
    Case("deberta-absolute", "deberta_v2", {**ENCODER, "type_vocab_size": 2}),
    Case(
        "deberta-v3",
        "deberta_v2",
        {
            **ENCODER,
            "relative_attention": True,
            "pos_att_type": "p2c|c2p",
            "position_buckets": 4,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_biased_input": False,
        },
    ),
    Case(
        "deberta-v2",
        "deberta_v2",
        {
            **ENCODER,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "max_relative_positions": 6,
            "conv_kernel_size": 3,
            "embedding_size": 16,
            "legacy": False,
        },
    ),
    Case(
        "gpt2",
        "gpt2",
        {
            "vocab_size": 60,
            "n_embd": 16,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 24,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 1,
            "resid_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
            "summary_first_dropout": 0.0,
            "classifier_dropout": 0.0,
        },
    ),
    Case(
        "gpt2-scaled",
        "gpt2",
        {
            "vocab_size": 60,
            "n_embd": 16,
            "n_layer": 3,
            "n_head": 4,
            "n_positions": 24,
            "n_inner": 20,
            "bos_token_id": 1,
            "eos_token_id": 1,
            "scale_attn_by_inverse_layer_idx": True,
            "activation_function": "relu",
            "add_cross_attention": True,
            "resid_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
        },
        only=("LMHeadModel",),
    ),
    Case("llama", "llama", DECODER),
    Case(
        "llama-3",
        "llama",
        {
            **DECODER,
            "head_dim": 6,
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": True,
            "rope_theta": 500000.0,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16,
            },
        },
        only=("ForCausalLM",),
    ),
    Case("llama-linear", "llama", {**DECODER, "rope_scaling": {"type": "linear", "factor": 4.0}}, only=("Model",)),
    Case(
        "llama-dynamic",
        "llama",
        {**DECODER, "max_position_embeddings": 6, "rope_scaling": {"rope_type": "dynamic", "factor": 4.0}},
        only=("Model",),
    ),
    Case(
        "llama-yarn",
        "llama",
        {
            **DECODER,
            "hidden_size": 64,
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
        },
        only=("Model",),
    ),
    Case(
        "llama-longrope",
        "llama",
        {
            **DECODER,
            "rope_scaling": {
                "rope_type": "longrope",
                "short_factor": [1.0, 1.5],
                "long_factor": [2.0, 3.0],
                "factor": 4.0,
                "original_max_position_embeddings": 8,
            },
        },
        only=("Model",),
    ),
    Case("mistral", "mistral", {**DECODER, "head_dim": 6, "sliding_window": None}),
    Case("mistral-window", "mistral", {**DECODER, "sliding_window": 4}, only=("ForCausalLM",)),
    Case("qwen2", "qwen2", DECODER),
    Case(
        "qwen2-window",
        "qwen2",
        {
            **DECODER,
            "num_hidden_layers": 3,
            "use_sliding_window": True,
            "sliding_window": 4,
            "max_window_layers": 1,
            "tie_word_embeddings": True,
        },
        only=("ForCausalLM",),
    ),
    Case("qwen3", "qwen3", {**DECODER, "head_dim": 6}),
    Case(
        "qwen3-window",
        "qwen3",
        {
            **DECODER,
            "head_dim": 6,
            "attention_bias": True,
            "use_sliding_window": True,
            "sliding_window": 4,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        only=("ForCausalLM",),
    ),
    Case("mixtral", "mixtral", {**DECODER, "num_local_experts": 4}),
    Case(
        "mixtral-window",
        "mixtral",
        {
            **DECODER,
            "num_local_experts": 3,
            "num_experts_per_tok": 1,
            "sliding_window": 4,
            "output_router_logits": True,
            "router_aux_loss_coef": 0.5,
        },
        only=("ForCausalLM",),
    ),
    Case("t5", "t5", T5),
    Case(
        "t5-v1.1",
        "t5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_decoder_layers": 3},
    ),
    Case(
        "bart",
        "bart",
        {
            "vocab_size": 60,
            "d_model": 16,
            "encoder_layers": 3,
            "decoder_layers": 2,
            "encoder_ffn_dim": 24,
            "decoder_ffn_dim": 20,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 2,
            "max_position_embeddings": 24,
            "scale_embedding": True,
            "dropout": 0.0,
        },
    ),
    Case("wav2vec2", "wav2vec2", WAV2VEC2),
    Case(
        "wav2vec2-stable",
        "wav2vec2",
        {
            **WAV2VEC2,
            "do_stable_layer_norm": True,
            "feat_extract_norm": "layer",
            "conv_bias": True,
            "use_weighted_layer_sum": True,
        },
    ),
    Case(
        "wav2vec2-adapter",
        "wav2vec2",
        {**WAV2VEC2, "add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 12},
        only=("Model", "ForCTC"),
    ),
]

PAIRS = [(case, head) for case in CASES for head in case.heads]
IDS = [f"{case.name}-{head}" for case, head in PAIRS]
