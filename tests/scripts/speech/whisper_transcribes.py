"""Whisper: a spectrogram in, tokens out, in the language and for the task that are asked for."""

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration, WhisperProcessor

processor = WhisperProcessor.from_pretrained("openai/whisper-tiny")
model = WhisperForConditionalGeneration.from_pretrained("openai/whisper-tiny")
wave = np.random.RandomState(1).randn(12000).astype(np.float32) / 10
features = processor(wave, sampling_rate=16000, return_tensors="pt").input_features
assert features.shape == (1, 8, 100)
ids = model.generate(features, language="ko", task="transcribe", max_new_tokens=10)
text = processor.batch_decode(ids, skip_special_tokens=True)[0]
assert "<|" not in text
prompt = processor.get_decoder_prompt_ids(language="korean", task="transcribe")
tokens = processor.tokenizer.convert_ids_to_tokens([token for _, token in prompt])
assert tokens == ["<|ko|>", "<|transcribe|>", "<|notimestamps|>"]
other = model.generate(features, language="en", task="translate", max_new_tokens=10)
assert other.shape[1] <= 16 and torch.is_tensor(other)
