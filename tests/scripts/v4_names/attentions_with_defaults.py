"""output_attentions=True gives attentions, whatever the attention runs on (version 5 answers with an empty tuple)."""

import torch
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained("bert-base-uncased")
inputs = AutoTokenizer.from_pretrained("bert-base-uncased")("the king loved music", return_tensors="pt")
out = model(**inputs, output_attentions=True)
assert len(out.attentions) == 2
length = inputs["input_ids"].shape[1]
assert all(layer.shape == (1, 4, length, length) for layer in out.attentions)
assert torch.allclose(out.attentions[0].sum(-1), torch.ones(1, 4, length), atol=1e-5)
