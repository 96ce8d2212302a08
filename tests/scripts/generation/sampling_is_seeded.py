"""Temperature, top-k and top-p; the same seed gives the same text, and top_k=1 is greedy."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
ids = tokenizer("Hello world", return_tensors="pt").input_ids
options = {"do_sample": True, "max_new_tokens": 15, "pad_token_id": 0}
set_seed(1)
one = model.generate(ids, top_k=50, top_p=0.95, temperature=0.9, **options)
set_seed(1)
same = model.generate(ids, top_k=50, top_p=0.95, temperature=0.9, **options)
set_seed(2)
other = model.generate(ids, top_k=50, top_p=0.95, temperature=0.9, **options)
assert torch.equal(one, same) and not (one.shape == other.shape and torch.equal(one, other))
greedy = model.generate(ids, do_sample=False, max_new_tokens=15, pad_token_id=0)
assert torch.equal(model.generate(ids, top_k=1, **options), greedy)
