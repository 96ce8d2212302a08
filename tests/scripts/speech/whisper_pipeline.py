"""The pipeline writes what generate writes."""

import numpy as np
from transformers import WhisperForConditionalGeneration, WhisperProcessor, pipeline

wave = np.random.RandomState(2).randn(14000).astype(np.float32) / 10
pipe = pipeline("automatic-speech-recognition", model="openai/whisper-tiny")
answer = pipe(
    wave.copy(), generate_kwargs={"language": "ko", "task": "transcribe", "max_new_tokens": 8, "num_beams": 1}
)
processor = WhisperProcessor.from_pretrained("openai/whisper-tiny")
model = WhisperForConditionalGeneration.from_pretrained("openai/whisper-tiny")
features = processor(wave, sampling_rate=16000, return_tensors="pt").input_features
ids = model.generate(features, language="ko", task="transcribe", max_new_tokens=8)
assert answer["text"].strip() == processor.batch_decode(ids, skip_special_tokens=True)[0].strip()
