"""A source text and a target text."""

from __future__ import annotations

from functools import partial

from .case import Case

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

seq2seq = partial(Case, kind="seq2seq")
CASES = [
    seq2seq("t5", "t5", T5, pair_masks=False),
    seq2seq(
        "t5-v1.1",
        "t5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_decoder_layers": 3},
        pair_masks=False,
    ),
    seq2seq(
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
        targets=("ForConditionalGeneration",),
        embedding_scale=4.0,
        longest=24,
    ),
]
