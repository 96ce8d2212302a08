"""The same by pipeline: an array, a dictionary with its rate, a file."""

import numpy as np
import soundfile
from transformers import pipeline

wave = np.random.RandomState(0).randn(8000).astype(np.float32) / 10
soundfile.write("sound.wav", wave, 16000, subtype="FLOAT")
recognizer = pipeline("automatic-speech-recognition", model="facebook/wav2vec2-base-960h")
answer = recognizer(wave.copy())
assert isinstance(answer["text"], str)
assert recognizer({"raw": wave.copy(), "sampling_rate": 16000}) == answer
assert recognizer([wave.copy(), wave.copy()])[1] == answer
