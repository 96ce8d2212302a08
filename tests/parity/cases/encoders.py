"""Text encoders."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from .case import Case
from .inputs import LENGTH, ROWS, classes, text_labels

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
NEVER_DECODES = ("add_cross_attention", "use_cache")
DECODES = {"is_decoder": True, "add_cross_attention": True}


encoder = partial(Case, longest=24)


def pretraining_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    """Of the families whose pre-training asks more than masked tokens."""
    labels = text_labels(case, head, config)
    if head != "ForPreTraining":
        return labels
    if case.family == "electra":
        return {"labels": classes(2, ROWS, LENGTH)}
    second = {"bert": "next_sentence_label", "albert": "sentence_order_label"}[case.family]
    return {**text_labels(case, "ForMaskedLM", config), second: classes(2, ROWS)}


CASES = [
    encoder("bert", "bert", ENCODER, make_labels=pretraining_labels),
    encoder("bert-decoder", "bert", {**ENCODER, **DECODES}, only=("LMHeadModel",)),
    encoder("roberta", "roberta", {**ENCODER, "type_vocab_size": 1}, positions_by_id=True, longest=22),
    encoder(
        "roberta-decoder", "roberta", {**ENCODER, **DECODES}, only=("ForCausalLM",), positions_by_id=True, longest=22
    ),
    encoder("xlm-roberta", "xlm_roberta", {**ENCODER, "type_vocab_size": 1}, positions_by_id=True, longest=22),
    encoder("camembert", "camembert", {**ENCODER, "type_vocab_size": 1}, positions_by_id=True, longest=22),
    encoder(
        "electra",
        "electra",
        {**ENCODER, "embedding_size": 12, "summary_last_dropout": 0.0},
        make_labels=pretraining_labels,
    ),
    encoder("electra-decoder", "electra", {**ENCODER, **DECODES, "embedding_size": 16}, only=("ForCausalLM",)),
    encoder(
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
        unused=NEVER_DECODES,
    ),
    encoder(
        "albert",
        "albert",
        {**ENCODER, "embedding_size": 12, "classifier_dropout_prob": 0.0},
        make_labels=pretraining_labels,
        unused=NEVER_DECODES,
    ),
    encoder(
        "albert-groups",
        "albert",
        {**ENCODER, "embedding_size": 12, "num_hidden_layers": 4, "num_hidden_groups": 2, "hidden_act": "gelu"},
        only=("Model",),
    ),
    encoder(
        "deberta-absolute",
        "deberta_v2",
        {**ENCODER, "type_vocab_size": 2},
        pair_masks=False,
        unused=("is_decoder", *NEVER_DECODES),
    ),
    encoder(
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
        longest=None,
        pair_masks=False,
        unused=("is_decoder", *NEVER_DECODES),
    ),
    encoder(
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
        pair_masks=False,
        unused=("is_decoder", *NEVER_DECODES),
    ),
]
