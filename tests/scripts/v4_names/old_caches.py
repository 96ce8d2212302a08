"""past_key_values as tuples, indexed by layer, and DynamicCache between the two forms."""

import torch
from transformers import AutoTokenizer, DynamicCache, GPT2LMHeadModel

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = GPT2LMHeadModel.from_pretrained("gpt2")
ids = tokenizer("the king loved music", return_tensors="pt").input_ids
with torch.no_grad():
    first = model(ids[:, :-1], use_cache=True)
    key, value = first.past_key_values[0][0], first.past_key_values[0][1]
    assert key.shape == value.shape == (1, 4, ids.shape[1] - 1, 8)
    legacy = first.past_key_values.to_legacy_cache()
    assert isinstance(legacy, tuple) and len(legacy) == 2 and torch.equal(legacy[0][0], key)
    again = DynamicCache.from_legacy_cache(legacy)
    last = model(ids[:, -1:], past_key_values=again).logits
    assert torch.allclose(last[:, -1], model(ids).logits[:, -1], atol=1e-4)
