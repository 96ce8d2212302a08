"""prune_heads takes heads out for good, as switching them off does."""

import torch
from transformers import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
inputs = tokenizer("the king loved music", return_tensors="pt")
model = BertModel.from_pretrained("bert-base-uncased", attn_implementation="eager")
mask = torch.ones(2, 4)
mask[0, 1] = mask[1, 3] = 0
with torch.no_grad():
    switched = model(**inputs, head_mask=mask).last_hidden_state
    model.prune_heads({0: [1], 1: [3]})
    pruned = model(**inputs).last_hidden_state
assert model.encoder.layer[0].attention.self.query.weight.shape == (24, 32)
assert torch.allclose(switched, pruned, atol=1e-4)
