"""ELECTRA's discriminator says of each token whether it was put there."""

import torch
from transformers import ElectraForPreTraining, ElectraTokenizer

discriminator = ElectraForPreTraining.from_pretrained("monologg/koelectra-base-v3-discriminator")
tokenizer = ElectraTokenizer.from_pretrained("monologg/koelectra-base-v3-discriminator")
sentence, fake = "나비가 꽃밭 위를 날아다닙니다.", "나비가 수도 위를 날아다닙니다."
fake_tokens = tokenizer.tokenize(fake)
fake_inputs = tokenizer.encode(fake, return_tensors="pt")
with torch.no_grad():
    scores = discriminator(fake_inputs)
    real = discriminator(tokenizer.encode(sentence, return_tensors="pt"))
predictions = torch.round((torch.sign(scores[0]) + 1) / 2)
assert predictions.shape == (1, len(fake_tokens) + 2)
assert set(predictions.unique().tolist()) <= {0.0, 1.0}
assert real[0].shape != scores[0].shape or not torch.allclose(real[0], scores[0])
