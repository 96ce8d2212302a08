"""Learned keys and values in front of a text, as tuples and as stacked tensors (arXiv:2101.00190)."""

import torch
from transformers import GPT2LMHeadModel

model = GPT2LMHeadModel.from_pretrained("gpt2").eval()
for parameter in model.parameters():
    parameter.requires_grad = False
layers, heads, size, length = model.config.n_layer, model.config.n_head, 8, 5
prefix = torch.nn.Parameter(torch.randn(length, layers * 2 * heads * size))
ids = torch.tensor([[5, 6, 7], [8, 9, 10]])


def past(batch):
    stacked = prefix.expand(batch, -1, -1).view(batch, length, layers * 2, heads, size)
    return stacked.permute(2, 0, 3, 1, 4).split(2)


pairs = tuple((keys, values) for keys, values in past(2))
mask = torch.ones(2, length + 3)
out = model(ids, past_key_values=pairs, attention_mask=mask, labels=ids)
stacked = model(ids, past_key_values=past(2), attention_mask=mask, labels=ids)
assert torch.allclose(out.logits, stacked.logits, atol=1e-6)
assert not torch.allclose(out.logits, model(ids).logits, atol=1e-2)
out.loss.backward()
assert prefix.grad.norm() > 0 and model.transformer.wte.weight.grad is None
step = model(ids[:, :1], past_key_values=out.past_key_values)
assert step.past_key_values.get_seq_length() == length + 4
