"""get_extended_attention_mask and get_head_mask, which models of one's own called."""

import torch
from transformers import BertConfig, BertModel

model = BertModel(
    BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
)
mask = torch.tensor([[1, 1, 0]])
extended = model.get_extended_attention_mask(mask, mask.shape)
assert extended.shape == (1, 1, 1, 3)
assert extended[0, 0, 0, 0] == 0 and extended[0, 0, 0, 2] < -1e4
assert torch.equal(model.invert_attention_mask(mask), extended)
heads = model.get_head_mask(torch.tensor([1.0, 0.0]), 2)
assert heads.shape == (2, 1, 2, 1, 1) and model.get_head_mask(None, 2) == [None, None]
