"""Hooks read and change what layers, their attentions and their MLPs give: a tuple where version 4 gave one."""

import torch
from transformers import AutoTokenizer, BertModel, GPT2LMHeadModel

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
bert = BertModel.from_pretrained("bert-base-uncased").eval()
inputs = tokenizer(["a good film", "no"], padding=True, return_tensors="pt")
seen = []
handles = [layer.register_forward_hook(lambda m, i, output: seen.append(output[0])) for layer in bert.encoder.layer]
with torch.no_grad():
    out = bert(**inputs, output_hidden_states=True)
assert all(torch.equal(a, b) for a, b in zip(seen, out.hidden_states[1:]))
handles[0].remove()
bert.encoder.layer[0].register_forward_hook(lambda m, i, output: (output[0] + 1.0,) + output[1:])
inside = {}
layer = bert.encoder.layer[1]
layer.intermediate.register_forward_hook(lambda m, i, output: inside.update(wide=output))
layer.output.register_forward_hook(lambda m, i, output: inside.update(end=output))
layer.attention.register_forward_hook(lambda m, i, output: inside.update(before=i[0], middle=output[0]))
with torch.no_grad():
    steered = bert(**inputs).last_hidden_state
assert not torch.allclose(steered, out.last_hidden_state, atol=1e-3)
assert torch.allclose(inside["before"], out.hidden_states[1] + 1.0, atol=1e-5)
assert torch.allclose(inside["end"], steered, atol=1e-5)
with torch.no_grad():
    wide = torch.nn.functional.gelu(layer.intermediate.dense(inside["middle"]))
assert torch.allclose(inside["wide"], wide, atol=1e-5)

gpt2 = GPT2LMHeadModel.from_pretrained("gpt2").eval()
ids = torch.tensor([[5, 6, 7, 8]])
parts = {}
block = gpt2.transformer.h[0]
block.attn.register_forward_hook(lambda m, i, output: parts.update(attn=output[0]))
block.mlp.register_forward_hook(lambda m, i, output: parts.update(mlp=output))
with torch.no_grad():
    states = gpt2(ids, output_hidden_states=True).hidden_states
    assert torch.allclose(states[0] + parts["attn"] + parts["mlp"], states[1], atol=1e-4)
    whole = gpt2(ids).logits
    knocked_out = block.mlp.register_forward_hook(lambda m, i, output: torch.zeros_like(output))
    states = gpt2(ids, output_hidden_states=True).hidden_states
    assert torch.allclose(states[0] + parts["attn"], states[1], atol=1e-4)
    knocked_out.remove()
    assert torch.equal(gpt2(ids).logits, whole)
