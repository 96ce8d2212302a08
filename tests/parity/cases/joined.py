"""Models made of other models: an encoder beside a decoder, a picture before a text."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from .case import Case
from .images import NO_LABELS, PATCHES, pixels
from .inputs import ROWS, classes, text, text_labels
from .seq2seq import BART

BERT: dict[str, Any] = {
    "model_type": "bert",
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
ROBERTA: dict[str, Any] = {**BERT, "model_type": "roberta"}
DECODES: dict[str, Any] = {"is_decoder": True, "add_cross_attention": True}
GPT2: dict[str, Any] = {
    "model_type": "gpt2",
    "vocab_size": 60,
    "n_embd": 24,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 24,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
    **DECODES,
}
BART_DECODER: dict[str, Any] = {**BART, "model_type": "bart", **DECODES}
VIT: dict[str, Any] = {**PATCHES, "model_type": "vit"}
TROCR: dict[str, Any] = {
    "vocab_size": 60,
    "d_model": 24,
    "decoder_layers": 2,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 24,
    "dropout": 0.0,
    "cross_attention_hidden_size": 16,
    "scale_embedding": True,
    "add_cross_attention": True,
}
TOKENS: dict[str, Any] = {"vocab_size": 60, "decoder_start_token_id": 3, "pad_token_id": 0, "eos_token_id": 2}


def of_parts(kind: str) -> Callable[[Any, dict[str, Any]], Any]:
    """A configuration of configurations; the vocabulary's size, of which the inputs are made, is that of the parts."""

    def make(library: Any, keys: dict[str, Any]) -> Any:
        keys = {key: copy.deepcopy(value) for key, value in keys.items() if key != "vocab_size"}
        return getattr(library, f"{kind}Config")(**keys)

    return make


def target_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    labels = classes(50, ROWS, 4) + 5
    labels[1, 2:] = -100
    return {"labels": labels}


def seen(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Pictures, and the texts that are written of them."""
    return {**pixels(8, 8)(case, head, side), "decoder_input_ids": classes(50, ROWS, 4) + 5}


IMAGE_TOKEN = 59
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
TOWER: dict[str, Any] = {
    **PATCHES,
    "model_type": "clip_vision_model",
    "hidden_size": 20,
    "num_hidden_layers": 3,
    "patch_size": 4,
}
LLAVA: dict[str, Any] = {
    "vocab_size": 60,
    "text_config": LLAMA,
    "vision_config": TOWER,
    "image_token_index": IMAGE_TOKEN,
    "pad_token_id": 0,
}


def illustrated(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Texts with a picture of four tokens, or of five with the tower's first token."""
    inputs = {**text(case, head, side), **pixels(8, 8)(case, head, side)}
    full = case.keys.get("vision_feature_select_strategy") == "full" and "siglip" not in case.name
    for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
        ids[ids == IMAGE_TOKEN] = 7
        ids[mask.nonzero()[: 5 if full else 4, 0]] = IMAGE_TOKEN
    return inputs


def next_tokens(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    return {} if head == "Model" else text_labels(case, "ForCausalLM", config)


UNUSED = ("num_labels", "id2label", "problem_type", "tie_word_embeddings", "eos_token_id")
OTHERS: dict[str, Any] = {"decoder": {**GPT2, "n_layer": 3}}
writes = partial(Case, make_labels=target_labels, unused=UNUSED)
reads = partial(
    writes,
    family="encoder_decoder",
    kind="seq2seq",
    targets=("Model",),
    config_of=of_parts("EncoderDecoder"),
    others={**OTHERS, "encoder": {**BERT, "hidden_act": "relu"}},
)
looks = partial(
    writes,
    family="vision_encoder_decoder",
    kind="image",
    cached=("Model",),
    config_of=of_parts("VisionEncoderDecoder"),
    make_inputs=seen,
    others={**OTHERS, "encoder": {**VIT, "hidden_act": "relu"}},
)
converses = partial(
    Case,
    family="llava",
    kind="decoder",
    config_of=of_parts("Llava"),
    make_inputs=illustrated,
    make_labels=next_tokens,
    cached=(),  # a second step has no picture: test_joined.py
    others={
        "text_config": {**LLAMA, "hidden_act": "relu"},
        "vision_config": {**TOWER, "hidden_act": "relu"},
        "vision_feature_layer": [0, 1],
        "vision_feature_select_strategy": "full",
        "projector_hidden_act": "relu",
        "image_token_index": 58,
    },
    unused=("num_labels", "id2label", "problem_type", "pad_token_id", "add_cross_attention"),
)

CASES = [
    reads("bert2bert", keys={**TOKENS, "encoder": BERT, "decoder": {**BERT, **DECODES}}),
    reads("bert2gpt2", keys={**TOKENS, "encoder": BERT, "decoder": GPT2}, only=("Model",)),
    reads(
        "roberta2roberta",
        keys={**TOKENS, "pad_token_id": 1, "encoder": ROBERTA, "decoder": {**ROBERTA, **DECODES}},
        only=("Model",),
        positions_by_id=True,
    ),
    reads(
        "bert2bart",
        keys={**TOKENS, "encoder": {**BERT, "hidden_size": 20}, "decoder": BART_DECODER},
        only=("Model",),
    ),
    looks("vit2gpt2", keys={**TOKENS, "encoder": VIT, "decoder": GPT2}),
    looks(
        "deit2trocr",
        keys={
            **TOKENS,
            "pad_token_id": 1,
            "encoder": {**VIT, "model_type": "deit"},
            "decoder": {**TROCR, "model_type": "trocr", **DECODES},
        },
        only=("Model",),
    ),
    looks(
        "clip2trocr",
        keys={
            **TOKENS,
            "pad_token_id": 1,
            "encoder": {**VIT, "model_type": "clip_vision_model"},
            "decoder": {**TROCR, "model_type": "trocr", "layernorm_embedding": False, **DECODES},
        },
        only=("Model",),
    ),
    converses("llava", keys=LLAVA),
    converses(
        "llava-other",
        keys={
            **LLAVA,
            "vision_feature_layer": [-1, 1],
            "vision_feature_select_strategy": "full",
            "multimodal_projector_bias": False,
            "tie_word_embeddings": True,
        },
        only=("Model", "ForConditionalGeneration"),
    ),
    converses(
        "llava-siglip-qwen2",
        keys={
            **LLAVA,
            "text_config": {**LLAMA, "model_type": "qwen2"},
            "vision_config": {**TOWER, "model_type": "siglip_vision_model"},
            "vision_feature_select_strategy": "full",
        },
        only=("ForConditionalGeneration",),
    ),
    converses(
        "llava-gemma3",
        keys={
            **LLAVA,
            "text_config": {**LLAMA, "model_type": "gemma3_text", "head_dim": 4, "sliding_window": 5},
        },
        only=("ForConditionalGeneration",),
    ),
    Case("trocr", "trocr", TROCR, kind="decoder", embedding_scale=24**0.5, longest=24, unused=NO_LABELS),
]
