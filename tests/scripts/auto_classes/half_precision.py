"""torch_dtype sets the type of the weights; logits stay near those of float32."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

full = AutoModelForCausalLM.from_pretrained("gpt2")
half = AutoModelForCausalLM.from_pretrained("gpt2", torch_dtype=torch.bfloat16)
assert half.dtype == torch.bfloat16 and next(half.parameters()).dtype == torch.bfloat16
ids = AutoTokenizer.from_pretrained("gpt2")("Hello world", return_tensors="pt").input_ids
with torch.no_grad():
    difference = (full(ids).logits - half(ids).logits.float()).abs().max()
assert 0 < difference < 0.5
assert half.get_memory_footprint() < full.get_memory_footprint()
