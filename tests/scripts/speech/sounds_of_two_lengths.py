"""A batch of sounds: the shorter is filled up, and the mask says where (the large models want one)."""

import numpy as np
from transformers import Wav2Vec2FeatureExtractor

extractor = Wav2Vec2FeatureExtractor(
    feature_size=1, sampling_rate=16000, padding_value=0.0, do_normalize=True, return_attention_mask=True
)
waves = [np.random.RandomState(n).randn(length).astype(np.float32) for n, length in enumerate((1600, 900))]
batch = extractor(waves, sampling_rate=16000, padding=True, return_tensors="np")
assert batch["input_values"].shape == (2, 1600)
assert batch["attention_mask"].sum(-1).tolist() == [1600, 900]
expected = (waves[1] - waves[1].mean()) / np.sqrt(waves[1].var() + 1e-7)
assert np.abs(batch["input_values"][1, :900] - expected).max() < 1e-4
cut = extractor(waves, sampling_rate=16000, max_length=1000, truncation=True, padding="max_length", return_tensors="np")
assert cut["input_values"].shape == (2, 1000)
