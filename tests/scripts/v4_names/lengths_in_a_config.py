"""Settings of generation in a configuration are obeyed, set in either way."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
config = GPT2Config(
    vocab_size=50, n_embd=16, n_layer=1, n_head=2, n_positions=32, max_length=9, bos_token_id=0, eos_token_id=49
)
model = GPT2LMHeadModel(config).eval()
ids = torch.tensor([[1, 2, 3]])
assert model.generate(ids, pad_token_id=49, eos_token_id=None).shape == (1, 9)
assert model.generate(ids, pad_token_id=49, eos_token_id=None, max_length=5).shape == (1, 5)
