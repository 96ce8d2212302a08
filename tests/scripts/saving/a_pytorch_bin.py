"""safe_serialization=False writes pytorch_model.bin, which is read again (ignored in version 5)."""

import os

import torch
from transformers import AutoModel

model = AutoModel.from_pretrained("distilbert-base-uncased")
model.save_pretrained("old", safe_serialization=False)
assert os.path.exists("old/pytorch_model.bin") and not os.path.exists("old/model.safetensors")
weights = torch.load("old/pytorch_model.bin", weights_only=True)
assert weights["embeddings.word_embeddings.weight"].equal(model.embeddings.word_embeddings.weight)
again = AutoModel.from_pretrained("old")
assert again.state_dict().keys() == model.state_dict().keys()
