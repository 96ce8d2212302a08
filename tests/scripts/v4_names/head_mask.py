"""A head switched off: head_mask must change what comes out."""

import torch
from transformers import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = BertModel.from_pretrained("bert-base-uncased", attn_implementation="eager")
inputs = tokenizer("the king loved music", return_tensors="pt")
mask = torch.ones(2, 4)
with torch.no_grad():
    plain = model(**inputs).last_hidden_state
    same = model(**inputs, head_mask=mask).last_hidden_state
    mask[0] = 0
    off = model(**inputs, head_mask=mask, output_attentions=True)
assert torch.allclose(plain, same, atol=1e-5)
assert not torch.allclose(plain, off.last_hidden_state, atol=1e-2)
layer = model.encoder.layer[0].attention
with torch.no_grad():
    states = model.embeddings(inputs["input_ids"])
    nothing = torch.zeros_like(states)
    without = layer.output.LayerNorm(layer.output.dense(nothing) + states)
    hidden = model(**inputs, head_mask=mask, output_hidden_states=True).hidden_states[1]
    first = model.encoder.layer[0]
    expected = first.output.LayerNorm(
        first.output.dense(torch.nn.functional.gelu(first.intermediate.dense(without))) + without
    )
assert torch.allclose(hidden, expected, atol=1e-4)
