"""Who looks at whom: attention of one head, from tensors of the model itself."""

import math

import torch
from transformers import AutoTokenizer, BertModel

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = BertModel.from_pretrained("bert-base-uncased", output_attentions=True, output_hidden_states=True)
inputs = tokenizer("the king loved music", return_tensors="pt")
with torch.no_grad():
    out = model(**inputs)
    layer = model.encoder.layer[1].attention.self
    size = model.config.hidden_size // model.config.num_attention_heads
    q, k = (project(out.hidden_states[1])[0].view(-1, 4, size).transpose(0, 1) for project in (layer.query, layer.key))
    expected = (q @ k.transpose(-1, -2) / math.sqrt(size)).softmax(-1)
assert torch.allclose(out.attentions[1][0], expected, atol=1e-5)
