"""Sound."""

from __future__ import annotations

from functools import partial

from .case import Case

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

RANDOM = ("mask_time_prob",)
speech = partial(Case, kind="speech")
CASES = [
    speech("wav2vec2", "wav2vec2", WAV2VEC2, random_keys=RANDOM),
    speech(
        "wav2vec2-stable",
        "wav2vec2",
        {
            **WAV2VEC2,
            "do_stable_layer_norm": True,
            "feat_extract_norm": "layer",
            "conv_bias": True,
            "use_weighted_layer_sum": True,
        },
        random_keys=RANDOM,
    ),
    speech(
        "wav2vec2-adapter",
        "wav2vec2",
        {**WAV2VEC2, "add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 12},
        only=("Model", "ForCTC"),
        random_keys=RANDOM,
    ),
]
