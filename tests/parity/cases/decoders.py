"""Text decoders."""

from __future__ import annotations

from functools import partial
from typing import Any

from .case import Case

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

COMMON: dict[str, Any] = {"vocab_size": 60, "hidden_size": 16, "pad_token_id": 0, "initializer_range": 0.05}
NEO = {
    **COMMON,
    "num_layers": 2,
    "num_heads": 4,
    "attention_types": [[["global", "local"], 1]],
    "window_size": 5,
    "max_position_embeddings": 24,
    "classifier_dropout": 0.0,
}
GPTJ = {
    "vocab_size": 60,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "rotary_dim": 6,
    "n_positions": 24,
    "pad_token_id": 0,
}
NEOX = {
    **COMMON,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "classifier_dropout": 0.0,
}
OPT = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "ffn_dim": 24,
    "max_position_embeddings": 24,
    "dropout": 0.0,
}
BLOOM = {**COMMON, "n_layer": 2, "n_head": 4}
FALCON = {**COMMON, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 24}
FALCON_OTHERS = {"num_ln_in_parallel_attn": 2, "num_kv_heads": 2, "activation": "relu", "ffn_hidden_size": 20}
FALCON_GIVEN = {
    "num_kv_heads": {"new_decoder_architecture": True, "num_kv_heads": 4},
    "multi_query": {"num_kv_heads": 4},
}
PHI = {
    **COMMON,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "classifier_dropout": 0.0,
}

GEMMA2 = {
    **DECODER,
    "head_dim": 6,
    "sliding_window": 5,
    "query_pre_attn_scalar": 5,
    "attn_logit_softcapping": 0.7,
    "final_logit_softcapping": 0.9,
}
GEMMA3 = {
    **DECODER,
    "head_dim": 6,
    "num_hidden_layers": 3,
    "sliding_window": 5,
    "sliding_window_pattern": 3,
    "query_pre_attn_scalar": 5,
    "final_logit_softcapping": 0.9,
}
GEMMA_OTHERS: dict[str, Any] = {
    "hidden_activation": "relu",
    "attn_logit_softcapping": 0.2,
    "layer_types": ["full_attention"] * 2,
}
PHI3 = {**DECODER, "num_attention_heads": 2, "num_key_value_heads": 1}
PHI3_OTHERS: dict[str, Any] = {"partial_rotary_factor": 0.5, "original_max_position_embeddings": 4}
PHI3_GIVEN: dict[str, Any] = {
    "original_max_position_embeddings": {
        "rope_scaling": {"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4}
    }
}
WINDOWED: dict[str, Any] = {"sliding_window": 3, "layer_types": ["full_attention"] * 2}
GPT_OSS = {
    **DECODER,
    "head_dim": 6,
    "sliding_window": 4,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "swiglu_limit": 0.4,
}
QWEN3_MOE = {**DECODER, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 12, "head_dim": 6}


def gemma3_config(library: Any, keys: dict[str, Any]) -> Any:
    return library.Gemma3TextConfig(**keys)


decoder = partial(Case, kind="decoder", unused=("add_cross_attention",))
CASES = [
    decoder(
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
        unused=(),
        longest=24,
    ),
    decoder(
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
        unused=(),
        longest=24,
    ),
    decoder("llama", "llama", DECODER),
    decoder(
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
    decoder("llama-linear", "llama", {**DECODER, "rope_scaling": {"type": "linear", "factor": 4.0}}, only=("Model",)),
    decoder(
        "llama-dynamic",
        "llama",
        {**DECODER, "max_position_embeddings": 6, "rope_scaling": {"rope_type": "dynamic", "factor": 4.0}},
        only=("Model",),
    ),
    decoder(
        "llama-yarn",
        "llama",
        {
            **DECODER,
            "hidden_size": 64,
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
        },
        only=("Model",),
    ),
    decoder(
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
    decoder("mistral", "mistral", {**DECODER, "head_dim": 6, "sliding_window": None}),
    decoder("mistral-window", "mistral", {**DECODER, "sliding_window": 4}, only=("ForCausalLM",)),
    decoder("qwen2", "qwen2", DECODER),
    decoder(
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
    decoder("qwen3", "qwen3", {**DECODER, "head_dim": 6}),
    decoder(
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
    decoder("mixtral", "mixtral", {**DECODER, "num_local_experts": 4}),
    decoder(
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
    decoder(
        "gpt-neo",
        "gpt_neo",
        NEO,
        longest=24,
        others={"attention_types": [[["global"], 2]], "intermediate_size": 20},
        pair_masks=False,
    ),
    decoder("gptj", "gptj", GPTJ, longest=24, others={"rotary_dim": 4, "n_head": 1, "n_positions": 4}),
    decoder("gpt-neox", "gpt_neox", {**NEOX, "rotary_pct": 0.5}, others={"rotary_pct": 1.0, "num_attention_heads": 4}),
    decoder(
        "gpt-neox-sequential",
        "gpt_neox",
        {
            **NEOX,
            "use_parallel_residual": False,
            "attention_bias": False,
            "tie_word_embeddings": True,
            "rotary_pct": 1.0,
        },
        only=("ForCausalLM",),
    ),
    decoder("opt", "opt", OPT, longest=24, pair_masks=False),
    decoder(
        "opt-350m",
        "opt",
        {**OPT, "do_layer_norm_before": False, "word_embed_proj_dim": 12, "enable_bias": False},
        pair_masks=False,
        longest=24,
        given={"_remove_final_layer_norm": {"do_layer_norm_before": True}},
    ),
    decoder("bloom", "bloom", BLOOM, pair_masks=False),
    decoder(
        "bloom-normed",
        "bloom",
        {**BLOOM, "n_head": 3, "hidden_size": 18, "apply_residual_connection_post_layernorm": True},
        only=("ForCausalLM",),
    ),
    decoder("falcon", "falcon", FALCON, others=FALCON_OTHERS, given=FALCON_GIVEN),
    decoder(
        "falcon-40b",
        "falcon",
        {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "bias": True, "ffn_hidden_size": 20},
        only=("ForCausalLM",),
    ),
    decoder(
        "falcon-180b",
        "falcon",
        {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1},
        only=("ForCausalLM",),
    ),
    decoder(
        "falcon-rw",
        "falcon",
        {**FALCON, "alibi": True, "parallel_attn": False, "multi_query": False, "bias": True},
        only=("ForCausalLM", "Model"),
        kernel="sdpa",  # the eager one adds the biases twice
        pair_masks=False,
    ),
    decoder(
        "phi", "phi", PHI, others={"partial_rotary_factor": 1.0, "num_attention_heads": 4, "num_key_value_heads": 1}
    ),
    decoder("phi-normed", "phi", {**PHI, "qk_layernorm": True, "num_key_value_heads": 1}, only=("ForCausalLM",)),
    decoder("gemma", "gemma", {**DECODER, "head_dim": 6, "attention_bias": True}, others=GEMMA_OTHERS),
    decoder("gemma2", "gemma2", GEMMA2, unused=("add_cross_attention", "hidden_act"), others=GEMMA_OTHERS),
    decoder(
        "gemma2-uncapped",
        "gemma2",
        {
            **GEMMA2,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
        },
        only=("Model", "ForCausalLM"),
    ),
    decoder(
        "gemma3",
        "gemma3_text",
        GEMMA3,
        unused=(
            "add_cross_attention",
            "hidden_act",
            "classifier_dropout",
            "tie_word_embeddings",
            "final_logit_softcapping",
        ),
        others=GEMMA_OTHERS,
    ),
    decoder("gemma3-lm", "gemma3_text", GEMMA3, only=("ForCausalLM",), prefix="Gemma3", config_of=gemma3_config),
    decoder(
        "gemma3-scaled",
        "gemma3_text",
        {
            **GEMMA3,
            "sliding_window": 9,
            "use_bidirectional_attention": True,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 100.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10.0},
            },
        },
        only=("Model",),
        cached=(),
    ),
    decoder("phi3", "phi3", PHI3, others=PHI3_OTHERS, given=PHI3_GIVEN),
    decoder(
        "phi3-long",
        "phi3",
        {
            **PHI3,
            "partial_rotary_factor": 0.5,
            "sliding_window": 4,
            "max_position_embeddings": 24,
            "original_max_position_embeddings": 6,
            "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0]},
        },
        only=("ForCausalLM",),
    ),
    decoder(
        "olmo2", "olmo2", {**DECODER, "attention_bias": True}, unused=("add_cross_attention", "classifier_dropout")
    ),
    decoder("exaone4", "exaone4", {**DECODER, "sliding_window": 5, "sliding_window_pattern": 2}, others=WINDOWED),
    decoder(
        "exaone4-full",
        "exaone4",
        {**DECODER, "sliding_window": None, "layer_types": ["full_attention"] * 2},
        only=("ForCausalLM",),
    ),
    decoder("gpt-oss", "gpt_oss", GPT_OSS, others=WINDOWED),
    decoder("gpt-oss-balanced", "gpt_oss", {**GPT_OSS, "output_router_logits": True}, only=("ForCausalLM",)),
    decoder(
        "qwen3-moe",
        "qwen3_moe",
        QWEN3_MOE,
        given={"intermediate_size": {"mlp_only_layers": [0]}},
        others={"num_experts": 5, "mlp_only_layers": [0]},
    ),
    decoder(
        "qwen3-moe-mixed",
        "qwen3_moe",
        {
            **QWEN3_MOE,
            "num_hidden_layers": 4,
            "decoder_sparse_step": 2,
            "mlp_only_layers": [3],
            "norm_topk_prob": True,
            "output_router_logits": True,
            "use_sliding_window": True,
            "sliding_window": 4,
        },
        only=("ForCausalLM",),
    ),
]
