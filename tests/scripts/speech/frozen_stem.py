"""The fine-tuning of 2021: the stem is frozen, and frames are counted."""

import torch
from transformers import Wav2Vec2ForCTC

model = Wav2Vec2ForCTC.from_pretrained("facebook/wav2vec2-base-960h")
model.freeze_feature_extractor()
assert not any(weight.requires_grad for weight in model.wav2vec2.feature_extractor.parameters())
frames = model._get_feat_extract_output_lengths(torch.tensor([8000, 4000]))
with torch.no_grad():
    assert frames.tolist() == [model(torch.zeros(1, samples)).logits.shape[1] for samples in (8000, 4000)]
