"""Tiny random models that hear, with what makes their inputs, in folders that both libraries load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

RATE = 16000
LINES = [
    "안녕하세요 오늘은 날씨가 좋네요.",
    "hello, the weather is good (today)!",
    "你好，今天天气很好。",
    '"네" 하고 말했다',
] * 3
STEERING = """<|startoftranscript|> <|en|> <|zh|> <|ko|> <|translate|> <|transcribe|> <|startoflm|> <|startofprev|>
    <|nospeech|> <|notimestamps|>""".split()
SECONDS = 1  # that the tiny Whisper hears at once
STEPS = 50 * SECONDS
END = "<|endoftext|>"
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ가나다라마바'"]
WAVES: dict[str, Any] = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48},
    **{"conv_dim": [16, 16, 16], "conv_stride": [5, 4, 4], "conv_kernel": [10, 4, 4]},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.0},
}


def noise(samples: int, seed: int = 0) -> np.ndarray:
    """A hum that changes, with noise: unlike parts of it sound unlike."""
    random = np.random.default_rng(seed)
    pitch = np.repeat(random.uniform(100, 3000, samples // 800 + 1), 800)[:samples]
    loud = np.repeat(random.uniform(0, 1, samples // 400 + 1), 400)[:samples]
    hum = loud * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return (0.5 * hum + 0.1 * random.standard_normal(samples)).astype(np.float32)


def save_model(folder: Path, model: Any, scale: float = 0.1) -> Path:
    """Every parameter moved off its initial value."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * scale)
    model.eval().save_pretrained(folder)
    return folder


def save_letters(folder: Path, **options: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({letter: i for i, letter in enumerate(LETTERS)}), encoding="utf-8")
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    config = {"tokenizer_class": "Wav2Vec2CTCTokenizer", **names, "word_delimiter_token": "|", **options}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def save_ctc(folder: Path, family: str = "Wav2Vec2", norm: str = "group", **options: Any) -> Path:
    """A model that spells sounds. norm: "layer" is that of the large models, which know masks."""
    torch.manual_seed(0)
    save_letters(folder, **options)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer").save_pretrained(folder)
    config = getattr(transformers, f"{family}Config")(
        **WAVES, vocab_size=len(LETTERS), feat_extract_norm=norm, do_stable_layer_norm=norm == "layer"
    )
    return save_model(folder, getattr(transformers, f"{family}ForCTC")(config))


def save_speech_classifier(folder: Path, family: str = "Wav2Vec2", norm: str = "group", **options: Any) -> Path:
    torch.manual_seed(0)
    if family == "Whisper":
        extractor: Any = transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=SECONDS)
        model: Any = transformers.WhisperForAudioClassification(whisper_config(500, **options))
    else:
        extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer")
        config = getattr(transformers, f"{family}Config")(
            **WAVES, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", classifier_proj_size=12, **options
        )
        model = getattr(transformers, f"{family}ForSequenceClassification")(config)
    extractor.save_pretrained(folder)
    return save_model(folder, model)


def whisper_config(words: int, **options: Any) -> Any:
    sizes = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4}
    rest = {"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_target_positions": 64}
    return transformers.WhisperConfig(
        vocab_size=words, num_mel_bins=8, max_source_positions=STEPS, **{**sizes, **rest, **options}
    )


def save_whisper_tokenizer(folder: Path) -> None:
    """A vocabulary of bytes and merges, of the tokens that steer the model, and of the times up to its SECONDS."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trained.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet))
    folder.mkdir(parents=True, exist_ok=True)
    trained.model.save(str(folder))
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    end = len(vocab)
    (folder / "vocab.json").write_text(json.dumps({**vocab, END: end}, ensure_ascii=False), encoding="utf-8")
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    added = [{"content": token, **flags, "special": True} for token in (END, *STEERING)]
    added += [{"content": f"<|{step * 0.02:.2f}|>", **flags, "special": False} for step in range(STEPS + 1)]
    config = {
        "tokenizer_class": "WhisperTokenizer",
        **{name: END for name in ("pad_token", "bos_token", "eos_token", "unk_token")},
        "additional_special_tokens": [END, *STEERING],
        "added_tokens_decoder": {str(end + number): token for number, token in enumerate(added)},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def save_whisper(folder: Path, **settings: Any) -> Path:
    """A model that hears a second at once. settings: of its generation_config.json."""
    torch.manual_seed(0)
    save_whisper_tokenizer(folder)
    transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=SECONDS).save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    end, start = tokenizer.convert_tokens_to_ids([END, STEERING[0]])
    tokens = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end, "decoder_start_token_id": start}
    model = transformers.WhisperForConditionalGeneration(whisper_config(len(tokenizer), **tokens))
    no_times = tokenizer.convert_tokens_to_ids("<|notimestamps|>")
    steering = {
        "is_multilingual": True,
        "lang_to_id": {f"<|{code}|>": tokenizer.convert_tokens_to_ids(f"<|{code}|>") for code in ("en", "zh", "ko")},
        "task_to_id": {task: tokenizer.convert_tokens_to_ids(f"<|{task}|>") for task in ("translate", "transcribe")},
        "no_timestamps_token_id": no_times,
        "prev_sot_token_id": tokenizer.convert_tokens_to_ids("<|startofprev|>"),
        "suppress_tokens": list(range(start, no_times)),
        "begin_suppress_tokens": [end],
        "alignment_heads": [[0, 1], [1, 0], [1, 3]],
        "max_initial_timestamp_index": 10,
        "max_length": 40,
        "repetition_penalty": 1.4,
    }
    model.generation_config = transformers.GenerationConfig(**{**tokens, **steering, **settings})
    return save_model(folder, model, scale=0.3)
