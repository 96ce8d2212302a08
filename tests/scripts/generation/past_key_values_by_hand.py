"""use_cache: each step reads one token."""

import torch
from transformers import GPT2LMHeadModel, GPT2Tokenizer

tokenizer = GPT2Tokenizer.from_pretrained("gpt2")
model = GPT2LMHeadModel.from_pretrained("gpt2")
ids = tokenizer.encode("The weather was good today", return_tensors="pt")
past = None
logits = []
with torch.no_grad():
    for position in range(ids.shape[1]):
        out = model(ids[:, position : position + 1], past_key_values=past, use_cache=True)
        past = out.past_key_values
        logits.append(out.logits)
    whole = model(ids).logits
assert torch.allclose(torch.cat(logits, 1), whole, atol=1e-4)
assert past.get_seq_length() == ids.shape[1]
