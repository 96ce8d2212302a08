"""Assisted generation writes exactly what the large model writes alone."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
assistant = AutoModelForCausalLM.from_pretrained("distilgpt2")
inputs = tokenizer("Once upon a time there was", return_tensors="pt")
options = {"max_new_tokens": 14, "do_sample": False, "pad_token_id": 0}
alone = model.generate(**inputs, **options)
assert torch.equal(model.generate(**inputs, assistant_model=assistant, **options), alone)
assert torch.equal(model.generate(**inputs, prompt_lookup_num_tokens=3, **options), alone)
