"""Small pictures, sounds and tokenizers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

SIZES = [(37, 53), (64, 64), (10, 200), (3, 2), (151, 7)]  # (height, width): odd, square, flat, tiny, tall


def picture(height: int = 37, width: int = 53, mode: str = "RGB", seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def wave(samples: int = 4321, seed: int = 0, loudness: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(samples) * loudness).astype(np.float32)


def assert_same(ours: Any, theirs: Any, within: float = 1e-4) -> None:
    """The same keys, shapes, kinds of numbers and, within a tolerance, numbers."""
    assert set(ours) == set(theirs)
    for key in theirs:
        if key == "labels" and isinstance(theirs[key], list) and hasattr(theirs[key][0], "keys"):
            assert len(ours[key]) == len(theirs[key])
            for own, their in zip(ours[key], theirs[key], strict=True):
                assert_same(own, their, within)
            continue
        if isinstance(ours[key], (list, tuple)) or isinstance(theirs[key], (list, tuple)):
            rows = zip(ours[key], theirs[key], strict=True)
        else:
            assert str(ours[key].dtype) == str(theirs[key].dtype), key
            rows = zip([ours[key]], [theirs[key]], strict=True)
        for own, their in rows:
            own, their = np.asarray(own, dtype=np.float64), np.asarray(their, dtype=np.float64)
            assert own.shape == their.shape, (key, own.shape, their.shape)
            if own.size:
                assert np.abs(own - their).max() <= within, (key, np.abs(own - their).max())


def write_words(folder: Path) -> Path:
    vocab = ["[PAD]", "[UNK]", "<s>", "</s>", "<image>", *"a photo of two cats and butterfly 나비 USER : .".split()]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit()])
    tokenizer.add_special_tokens(["[PAD]", "<s>", "</s>", "<image>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "model_max_length": 64,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def write_letters(folder: Path) -> Path:
    vocab = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]
    (folder / "vocab.json").write_text(json.dumps({letter: index for index, letter in enumerate(vocab)}))
    config = {
        "tokenizer_class": "Wav2Vec2CTCTokenizer",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "word_delimiter_token": "|",
        "do_lower_case": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def write_whisper(folder: Path) -> Path:
    """Byte-level, with the tokens that steer the model for two languages."""
    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    (folder / "vocab.json").write_text(json.dumps({**letters, "<|endoftext|>": 256}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    steering = """<|startoftranscript|> <|en|> <|ko|> <|translate|> <|transcribe|> <|startoflm|> <|startofprev|>
    <|nospeech|> <|notimestamps|>""".split()
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    added = [{"content": token, **flags, "special": True} for token in ("<|endoftext|>", *steering)]
    added += [{"content": f"<|{step * 0.02:.2f}|>", **flags, "special": False} for step in range(51)]
    config = {
        "tokenizer_class": "WhisperTokenizer",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": ["<|endoftext|>", *steering],
        "added_tokens_decoder": {str(256 + number): token for number, token in enumerate(added)},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder
