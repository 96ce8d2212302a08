"""Sound."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from .case import Case
from .inputs import LENGTH, ROWS, classes, sound_labels, text

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

STABLE = {
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "use_weighted_layer_sum": True,
}
OF_WAV2VEC2 = ("num_codevectors_per_group", "codevector_dim", "proj_codevector_dim", "xvector_output_dim")
HUBERT = {key: value for key, value in WAV2VEC2.items() if key not in OF_WAV2VEC2 and not key.startswith("tdnn")}

WHISPER = {
    "vocab_size": 60,
    "num_mel_bins": 6,
    "d_model": 16,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 20,
    "max_source_positions": 10,
    "max_target_positions": 24,
    "classifier_proj_size": 6,
    "pad_token_id": 2,
    "bos_token_id": 2,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
    "apply_spec_augment": True,
    "mask_time_prob": 0.05,
    "mask_time_min_masks": 0,
    "mask_time_length": 2,
}


def spectrogram(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Mel bins over time, always of one length, and a target; the decoder alone reads text, and what was heard."""
    generator = torch.Generator().manual_seed(7)
    if head == "ForCausalLM":
        heard = torch.randn(ROWS, case.keys["max_source_positions"], case.keys["d_model"], generator=generator)
        return {**text(case, head, side), "encoder_outputs": heard}
    frames = 2 * case.keys["max_source_positions"]
    inputs = {"input_features": torch.randn(ROWS, case.keys["num_mel_bins"], frames, generator=generator)}
    if head != "ForAudioClassification":
        inputs["decoder_input_ids"] = torch.randint(5, case.keys["vocab_size"], (ROWS, 5), generator=generator)
    return inputs


def transcripts(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    if head in ("Model", "ForAudioClassification"):
        return sound_labels(case, head, config)
    tokens = classes(case.keys["vocab_size"], ROWS, LENGTH if head == "ForCausalLM" else 5)
    tokens[:, 2] = -100
    return {"labels": tokens}


RANDOM = ("mask_time_prob",)
speech = partial(Case, kind="speech")
whisper = partial(
    speech,
    family="whisper",
    make_inputs=spectrogram,
    make_labels=transcripts,
    cached=("Model", "ForConditionalGeneration", "ForCausalLM"),
    random_keys=RANDOM,
)
CASES = [
    speech("wav2vec2", "wav2vec2", WAV2VEC2, random_keys=RANDOM),
    speech("wav2vec2-stable", "wav2vec2", {**WAV2VEC2, **STABLE}, random_keys=RANDOM),
    speech(
        "wav2vec2-adapter",
        "wav2vec2",
        {**WAV2VEC2, "add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 12},
        only=("Model", "ForCTC"),
        random_keys=RANDOM,
    ),
    speech("hubert", "hubert", HUBERT, random_keys=RANDOM),
    speech("hubert-stable", "hubert", {**HUBERT, **STABLE}, random_keys=RANDOM),
    speech(
        "hubert-batch-norm",
        "hubert",
        {**HUBERT, "conv_pos_batch_norm": True, "feat_proj_layer_norm": False},
        random_keys=RANDOM,
    ),
    whisper("whisper", keys=WHISPER),
    whisper("whisper-weighted", keys={**WHISPER, "use_weighted_layer_sum": True}, only=("ForAudioClassification",)),
]
