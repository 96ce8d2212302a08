"""AutoModel gives hidden states; an output is an object, a dictionary and a tuple."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = AutoModel.from_pretrained("bert-base-uncased")
inputs = tokenizer("Hello world!", return_tensors="pt")
outputs = model(**inputs)
assert outputs.last_hidden_state.shape == (1, inputs["input_ids"].shape[1], model.config.hidden_size)
assert outputs[0] is outputs.last_hidden_state is outputs["last_hidden_state"]
assert outputs.pooler_output.shape == (1, 32)
last, pooled = model(**inputs, return_dict=False)
assert torch.equal(last, outputs.last_hidden_state) and torch.equal(pooled, outputs.pooler_output)
assert not model.training
