"""Labels from a text, and the loss of all alignments."""

import numpy as np
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

processor = Wav2Vec2Processor.from_pretrained("facebook/wav2vec2-base-960h")
model = Wav2Vec2ForCTC.from_pretrained("facebook/wav2vec2-base-960h").eval()
model.config.ctc_loss_reduction = "mean"
wave = np.random.RandomState(4).randn(8000).astype(np.float32)
values = processor(wave, sampling_rate=16000, return_tensors="pt").input_values
labels = torch.tensor([processor.tokenizer("A KING")["input_ids"]])
assert processor.tokenizer.convert_ids_to_tokens(labels[0].tolist()) == ["A", "|", "K", "I", "N", "G"]
out = model(values, labels=labels)
log_probs = out.logits.log_softmax(-1).transpose(0, 1)
expected = torch.nn.functional.ctc_loss(
    log_probs, labels, torch.tensor([log_probs.shape[0]]), torch.tensor([6]), blank=model.config.pad_token_id
)
assert torch.allclose(out.loss, expected, atol=1e-4)
