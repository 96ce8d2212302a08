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

BART = {
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
}
MARIAN = {**BART, "num_labels": 2, "pad_token_id": 3, "decoder_start_token_id": 3, "eos_token_id": 2}
CLASSLESS = ("num_labels", "id2label", "problem_type", "classifier_dropout", "eos_token_id")  # no head reads them
MARIAN_TARGETS = ("Model", "MTModel")
M2M100 = {**BART, "num_labels": 2, "encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0, "attention_dropout": 0.0}

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
        BART,
        targets=("ForConditionalGeneration",),
        embedding_scale=4.0,
        longest=24,
    ),
    seq2seq("mt5", "mt5", T5, pair_masks=False, others={"feed_forward_proj": "relu"}),
    seq2seq("umt5", "umt5", T5, pair_masks=False, others={"feed_forward_proj": "relu"}),
    seq2seq(
        "umt5-relu", "umt5", {**T5, "feed_forward_proj": "relu"}, only=("ForConditionalGeneration",), pair_masks=False
    ),
    seq2seq(
        "mbart",
        "mbart",
        BART,
        unused=("decoder_start_token_id",),
        targets=("ForConditionalGeneration",),
        embedding_scale=4.0,
        longest=24,
    ),
    seq2seq("pegasus", "pegasus", {**BART, "num_labels": 2}, embedding_scale=4.0, longest=24, unused=CLASSLESS),
    seq2seq(
        "marian",
        "marian",
        MARIAN,
        targets=MARIAN_TARGETS,
        embedding_scale=4.0,
        longest=24,
        unused=CLASSLESS,
        others={"decoder_vocab_size": 70},
        given={"decoder_vocab_size": {"share_encoder_decoder_embeddings": False, "tie_word_embeddings": False}},
    ),
    seq2seq(
        "marian-apart",
        "marian",
        {**MARIAN, "share_encoder_decoder_embeddings": False, "decoder_vocab_size": 60, "tie_word_embeddings": False},
        targets=MARIAN_TARGETS,
        only=("Model", "MTModel"),
        embedding_scale=4.0,
    ),
    seq2seq("blenderbot", "blenderbot", {**BART, "num_labels": 2}, embedding_scale=4.0, longest=24, unused=CLASSLESS),
    seq2seq("m2m100", "m2m_100", M2M100, positions_by_id=True, unused=("max_position_embeddings", *CLASSLESS)),
]
