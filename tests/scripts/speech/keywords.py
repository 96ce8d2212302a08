"""Which command was said: classification of sounds."""

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, pipeline

name = "superb/wav2vec2-base-superb-ks"
wave = np.random.RandomState(3).randn(9000).astype(np.float32) / 10
extractor = AutoFeatureExtractor.from_pretrained(name)
model = AutoModelForAudioClassification.from_pretrained(name)
with torch.no_grad():
    logits = model(**extractor(wave, sampling_rate=16000, return_tensors="pt")).logits
expected = logits.softmax(-1)[0]
answers = pipeline("audio-classification", model=name)(wave, top_k=4)
assert {answer["label"] for answer in answers} == {"yes", "no", "up", "down"}
for answer in answers:
    assert abs(answer["score"] - float(expected[model.config.label2id[answer["label"]]])) < 1e-4
