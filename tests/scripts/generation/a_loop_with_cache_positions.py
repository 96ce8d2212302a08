"""The loop of 2024: the caller says where in the cache the new tokens go."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer("Once upon a time", return_tensors="pt")
ids, mask, cache = inputs.input_ids, inputs.attention_mask, DynamicCache()
positions, written = torch.arange(ids.shape[1]), []
for _ in range(5):
    with torch.no_grad():
        outputs = model(ids, attention_mask=mask, past_key_values=cache, cache_position=positions, use_cache=True)
    ids = outputs.logits[:, -1:].argmax(-1)
    written.append(ids.item())
    mask = torch.cat([mask, mask.new_ones(1, 1)], dim=-1)
    positions = positions[-1:] + 1
expected = model.generate(**inputs, max_new_tokens=5, do_sample=False)[0, inputs.input_ids.shape[1] :]
assert len(expected) >= 1 and written[: len(expected)] == expected.tolist()  # generate stops at an end
