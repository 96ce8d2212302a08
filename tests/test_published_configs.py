"""config.json files as they are published, with all that their authors left in them, are read without complaint."""

from __future__ import annotations

from typing import Any

import pytest

from nabi.auto import family_of, find_class

ENCODER: dict[str, Any] = {
    "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "max_position_embeddings": 512,
}
PUBLISHED: dict[str, dict[str, Any]] = {
    "the Hub's English sentiment model": {
        "model_type": "distilbert",
        "activation": "gelu",
        "architectures": ["DistilBertForSequenceClassification"],
        "attention_dropout": 0.1,
        "dim": 768,
        "dropout": 0.1,
        "finetuning_task": "sst-2",
        "hidden_dim": 3072,
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
        "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
        "n_heads": 12,
        "n_layers": 6,
        "output_past": True,
        "pad_token_id": 0,
        "qa_dropout": 0.1,
        "seq_classif_dropout": 0.2,
        "sinusoidal_pos_embds": False,
        "tie_weights_": True,
        "vocab_size": 30522,
    },
    "a multilingual BERT": {
        **ENCODER,
        "model_type": "bert",
        "directionality": "bidi",
        "pooler_fc_size": 768,
        "pooler_num_attention_heads": 12,
        "pooler_num_fc_layers": 3,
        "pooler_size_per_head": 128,
        "pooler_type": "first_token_transform",
        "type_vocab_size": 2,
        "vocab_size": 119547,
    },
    "a Korean RoBERTa with BERT's tokenizer": {
        **ENCODER,
        "model_type": "roberta",
        "bos_token_id": 0,
        "eos_token_id": 2,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 514,
        "pad_token_id": 1,
        "tokenizer_class": "BertTokenizer",
        "type_vocab_size": 1,
        "vocab_size": 32000,
    },
    "a small ELECTRA": {
        **ENCODER,
        "model_type": "electra",
        "classifier_dropout": None,
        "embedding_size": 128,
        "generator_size": "0.25",
        "position_embedding_type": "absolute",
        "summary_activation": "gelu",
        "summary_last_dropout": 0.1,
        "summary_type": "first",
        "summary_use_proj": True,
    },
    "the largest DeBERTa v2": {
        "model_type": "deberta-v2",
        "attention_head_size": 64,
        "conv_act": "gelu",
        "conv_kernel_size": 3,
        "hidden_size": 1536,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "num_attention_heads": 24,
        "pooler_dropout": 0,
        "pooler_hidden_act": "gelu",
        "pooler_hidden_size": 1536,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "position_buckets": 256,
        "relative_attention": True,
        "share_att_key": True,
        "type_vocab_size": 0,
    },
    "a small LLaMA": {
        "model_type": "llama",
        "hidden_size": 576,
        "is_llama_config": True,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "pretraining_tp": 1,
        "rope_interleaved": False,
        "rope_scaling": None,
        "rope_theta": 100000,
        "torch_dtype": "bfloat16",
    },
    "Mistral of 2023": {
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "max_position_embeddings": 32768,
        "num_key_value_heads": 8,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "sliding_window": 4096,
        "torch_dtype": "bfloat16",
    },
    "a small Qwen2.5": {
        "model_type": "qwen2",
        "hidden_size": 896,
        "intermediate_size": 4864,
        "max_window_layers": 24,
        "num_attention_heads": 14,
        "num_hidden_layers": 24,
        "num_key_value_heads": 2,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": True,
        "use_mrope": False,
        "use_sliding_window": False,
    },
    "a small Qwen3": {
        "model_type": "qwen3",
        "attention_bias": False,
        "head_dim": 128,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "max_position_embeddings": 40960,
        "max_window_layers": 28,
        "num_attention_heads": 16,
        "num_hidden_layers": 28,
        "num_key_value_heads": 8,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
    "a BART for entailment": {
        "model_type": "bart",
        "_attn_implementation": "eager",
        "classif_dropout": 0.0,
        "decoder_layers": 12,
        "encoder_layers": 12,
        "forced_eos_token_id": 2,
        "id2label": {"0": "contradiction", "1": "neutral", "2": "entailment"},
        "normalize_before": False,
        "num_hidden_layers": 12,
        "output_past": False,
    },
    "a Korean GPT-2": {
        "model_type": "gpt2",
        "_num_labels": 1,
        "author": "…",
        "created_date": "2021-04-28",
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
        "license": "…",
        "n_ctx": 1024,
        "n_inner": None,
        "summary_activation": None,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 51200,
    },
    "a FLAN-T5": {
        "model_type": "t5",
        "dense_act_fn": "gelu_new",
        "feed_forward_proj": "gated-gelu",
        "is_gated_act": True,
        "n_positions": 512,
        "output_past": True,
        "tie_word_embeddings": False,
    },
    "a Korean Wav2Vec2": {
        "model_type": "wav2vec2",
        "feat_extract_dropout": 0.0,
        "hidden_dropout_prob": 0.1,
        "mask_channel_length": 10,
        "mask_channel_min_space": 1,
        "mask_channel_other": 0.0,
        "mask_channel_prob": 0.0,
        "mask_channel_selection": "static",
        "mask_time_min_space": 1,
        "mask_time_other": 0.0,
        "mask_time_selection": "static",
        "num_feat_extract_layers": 7,
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_config_is_read_and_written_back_whole(name: str) -> None:
    keys = PUBLISHED[name]
    config = find_class(family_of(keys["model_type"]), "Config").from_dict(keys)
    assert type(config).from_dict(config.to_dict()) == config
    if "id2label" in keys:
        assert config.id2label == {int(number): label for number, label in keys["id2label"].items()}


def test_a_bart_that_normalises_first_is_refused_by_name() -> None:
    keys = {**PUBLISHED["a BART for entailment"], "normalize_before": True}
    with pytest.raises(ValueError, match="normalize_before"):
        find_class("bart", "Config").from_dict(keys)
