"""Text encoders whose attention is their own: by distance, near and far, in two streams, in blocks."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from .case import Case
from .encoders import ENCODER, NEVER_DECODES, encoder
from .inputs import LENGTH, ROWS, classes, text, text_labels

MODERN: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "global_attn_every_n_layers": 2,
    "local_attention": 8,
    **{"pad_token_id": 0, "bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2},
}
XLM: dict[str, Any] = {
    "vocab_size": 60,
    "emb_dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 24,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "summary_first_dropout": 0.0,
    "start_n_top": 2,
    "end_n_top": 3,
}
XLNET: dict[str, Any] = {
    "vocab_size": 60,
    "d_model": 16,
    "n_layer": 2,
    "n_head": 4,
    "d_inner": 24,
    "dropout": 0.0,
    "summary_last_dropout": 0.0,
    "mem_len": 4,
    "start_n_top": 2,
    "end_n_top": 3,
}


def without_padding_in_answers(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """No answer at padding: all padding is alike there, and the order of equal scores is anyone's."""
    inputs = text(case, head, side)
    if head == "ForQuestionAnswering":
        inputs["p_mask"] = 1.0 - inputs["attention_mask"]
    if case.keys.get("n_langs"):
        inputs["langs"] = inputs["input_ids"] % 3
    return inputs


def answer_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    """Of the answers by beam search: whether there is none, too."""
    labels = text_labels(case, head, config)
    if head == "ForQuestionAnswering":
        return {**labels, "cls_index": classes(LENGTH, ROWS, seed=10), "is_impossible": classes(2, ROWS).float()}
    return labels


def in_another_order(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Two predictions for each text, and an order in which some tokens do not see others."""
    inputs = without_padding_in_answers(case, head, side)
    if head in ("Model", "LMHeadModel"):
        generator = torch.Generator().manual_seed(3)
        inputs["perm_mask"] = (torch.rand(ROWS, LENGTH, LENGTH, generator=generator) < 0.4).float()
        inputs["target_mapping"] = torch.nn.functional.one_hot(classes(LENGTH, ROWS, 2), LENGTH).float()
        inputs["token_type_ids"] = classes(2, ROWS, LENGTH)
    return inputs


def unmasked(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """In the incumbent the one-way kind takes no mask of a batch; and a backwards half wants an even batch."""
    inputs = text(case, head, side)
    inputs.pop("attention_mask")
    return {name: value[: 2 * (ROWS // 2)] for name, value in inputs.items()} if case.keys.get("bi_data") else inputs


def two_tokens_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    return {"labels": classes(60, ROWS, 2)} if head == "LMHeadModel" else answer_labels(case, head, config)


def with_question(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Three separators in each text; where no task says it, some tokens of the first two texts see all."""
    inputs = text(case, head, side)
    for row in inputs["input_ids"].view(-1, LENGTH):
        for place in (5, 6, 7) if side == "left" else (1, 2, 4):
            row[place] = 2
    if head in ("Model", "ForMaskedLM", "ForTokenClassification"):
        inputs["global_attention_mask"] = torch.zeros_like(inputs["attention_mask"])
        inputs["global_attention_mask"][0, [0, 3, 8]] = 1
        inputs["global_attention_mask"][1, [4, 5]] = 1
    return inputs


longformer = partial(
    encoder,
    family="longformer",
    positions_by_id=True,
    longest=22,
    pair_masks=False,
    make_inputs=with_question,
    unused=NEVER_DECODES,
    others={"attention_window": [4, 4]},
)


def long_text(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Texts of twelve blocks, or six."""
    ids = classes(case.keys["vocab_size"] - 5, ROWS, 24, seed=7) + 5
    mask = torch.ones_like(ids)
    choices = head.endswith("MultipleChoice")  # unpadded: where padding looks means nothing, and is compared there
    for row, padding in enumerate((0, 0, 0) if choices else (0, 3, 6)):
        place = slice(24 - padding, 24) if side == "right" else slice(0, padding)
        mask[row, place] = ids[row, place] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if head == "ForQuestionAnswering":
        inputs["question_lengths"] = torch.tensor([[1], [9], [4]])
    if choices:
        return {name: torch.stack((value, value.flip(0)), 1) for name, value in inputs.items()}
    return inputs


def long_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    tokens = classes(case.keys["vocab_size"], ROWS, 24)
    if head == "ForPreTraining":
        return {"labels": tokens, "next_sentence_label": classes(2, ROWS)}
    if head == "ForTokenClassification":
        return {"labels": tokens % config.num_labels}
    if head == "ForQuestionAnswering":  # behind the question: before it there is nothing to win
        return {"start_positions": classes(10, ROWS) + 10, "end_positions": classes(10, ROWS, seed=9) + 10}
    return {"labels": tokens} if head in ("ForMaskedLM", "ForCausalLM") else text_labels(case, head, config)


big_bird = partial(
    encoder,
    family="big_bird",
    make_inputs=long_text,
    make_labels=long_labels,
    unused=("add_cross_attention",),
)
xlm = partial(
    encoder,
    family="xlm",
    pair_masks=False,
    make_inputs=without_padding_in_answers,
    make_labels=answer_labels,
    unused=NEVER_DECODES,
    others={"emb_dim": 32, "n_langs": 2},
)
xlnet = partial(
    Case,
    family="xlnet",
    pair_masks=False,
    make_inputs=without_padding_in_answers,
    make_labels=answer_labels,
    unused=(*NEVER_DECODES, "pad_token_id"),
    # The memory and the lengths that bound it are seen in outputs where the text is longer.
    others={
        "ff_activation": "relu",
        "summary_activation": "relu",
        "mem_len": 3,
        "reuse_len": 2,
        "clamp_len": 2,
        "attn_type": "uni",
        "d_head": 8,
    },
    given={"same_length": {"attn_type": "uni"}},
)

CASES = [
    encoder("mpnet", "mpnet", ENCODER, positions_by_id=True, longest=22, unused=NEVER_DECODES),
    encoder(
        "modernbert",
        "modernbert",
        MODERN,
        # of padding's id nothing is seen but that its own vector is not trained
        unused=(*NEVER_DECODES, "pad_token_id"),
        longest=None,
        others={
            "hidden_activation": "relu",
            "classifier_activation": "relu",
            "classifier_pooling": "mean",
            "rope_parameters": {"full_attention": {"rope_theta": 10.0}},
            "global_attn_every_n_layers": 3,
            "local_attention": 2,
            "layer_types": ["sliding_attention"] * 3,
            "norm_eps": 0.5,
        },
        given={
            "max_position_embeddings": {"rope_parameters": {"full_attention": {"rope_type": "dynamic", "factor": 4.0}}},
            "sparse_pred_ignore_index": {"sparse_prediction": True},
        },
    ),
    encoder(
        "modernbert-biased",
        "modernbert",
        {
            **MODERN,
            "norm_bias": True,
            "attention_bias": True,
            "mlp_bias": True,
            "classifier_bias": True,
            "classifier_pooling": "mean",
            "decoder_bias": False,
            "sparse_prediction": True,
        },
        longest=None,
    ),
    # in the incumbent both versions of DeBERTa make their own mask of a row's
    encoder(
        "deberta-v1-absolute",
        "deberta",
        {**ENCODER, "type_vocab_size": 2},
        pair_masks=False,
        unused=(*NEVER_DECODES, "is_decoder"),
    ),
    encoder(
        "deberta-v1",
        "deberta",
        {
            **ENCODER,
            "relative_attention": True,
            "pos_att_type": "c2p|p2c",
            "max_relative_positions": 6,
            "position_biased_input": False,
            "legacy": False,
        },
        pair_masks=False,
        longest=None,
    ),
    longformer("longformer", keys={**ENCODER, "attention_window": [8, 4]}),
    longformer(
        "longformer-near",
        keys={**ENCODER, "attention_window": 6, "type_vocab_size": 1},
        only=("Model", "ForMaskedLM"),
        make_inputs=text,
    ),
    big_bird(
        "big-bird",
        keys={**ENCODER, "block_size": 2, "num_random_blocks": 2, "sep_token_id": 4},
        pair_masks=False,
        others={"attention_type": "original_full"},
        unused=("attention_probs_dropout_prob",),  # not in blocks
    ),
    big_bird(
        "big-bird-full",
        keys={
            **ENCODER,
            "attention_type": "original_full",
            "use_bias": False,
            "rescale_embeddings": True,
            "sep_token_id": 4,
        },
    ),
    big_bird(
        "big-bird-decoder",
        keys={**ENCODER, "is_decoder": True, "attention_type": "original_full"},
        only=("ForCausalLM",),
        make_inputs=text,
        make_labels=text_labels,
    ),
    xlm("xlm", keys={**XLM, "n_langs": 3}),
    xlm(
        "xlm-causal",
        keys={
            **XLM,
            "causal": True,
            "gelu_activation": False,
            "sinusoidal_embeddings": True,
            "summary_type": "cls_index",
            "summary_activation": "tanh",
        },
    ),
    xlnet("xlnet", keys=XLNET),
    xlnet(
        "xlnet-permuted",
        keys={**XLNET, "clamp_len": 3, "mem_len": None, "reuse_len": 2},
        only=("Model", "LMHeadModel", "ForTokenClassification"),
        make_inputs=in_another_order,
        make_labels=two_tokens_labels,
    ),
    xlnet("xlnet-one-way", keys={**XLNET, "attn_type": "uni"}, only=("Model",), make_inputs=unmasked),
    xlnet(
        "xlnet-one-way-same-length",
        keys={**XLNET, "attn_type": "uni", "same_length": True, "bi_data": True},
        only=("Model",),
        make_inputs=unmasked,
    ),
]
