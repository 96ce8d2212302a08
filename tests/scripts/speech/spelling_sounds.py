"""wav2vec2: letters from a wave, by the likeliest letter of each frame."""

import numpy as np
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

processor = Wav2Vec2Processor.from_pretrained("facebook/wav2vec2-base-960h")
model = Wav2Vec2ForCTC.from_pretrained("facebook/wav2vec2-base-960h")
wave = np.sin(np.arange(8000) / 20).astype(np.float32)
inputs = processor(wave, sampling_rate=16000, return_tensors="pt")
assert abs(float(inputs.input_values.mean())) < 1e-4 and abs(float(inputs.input_values.std()) - 1) < 1e-2
with torch.no_grad():
    logits = model(inputs.input_values).logits
ids = logits.argmax(-1)
text = processor.batch_decode(ids)[0]
letters, last = [], None
for number in ids[0].tolist():
    if number != last and number != model.config.pad_token_id:
        letters.append(processor.tokenizer.convert_ids_to_tokens(number))
    last = number
assert text.replace(" ", "") == "".join(x for x in letters if x not in ("|", "<s>", "</s>"))
