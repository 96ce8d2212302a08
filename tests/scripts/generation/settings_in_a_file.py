"""GenerationConfig: made, saved, read, and used."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

model = AutoModelForCausalLM.from_pretrained("gpt2")
tokenizer = AutoTokenizer.from_pretrained("gpt2")
settings = GenerationConfig(max_new_tokens=7, do_sample=False, pad_token_id=0, eos_token_id=0)
settings.save_pretrained("settings")
read = GenerationConfig.from_pretrained("settings")
assert read.max_new_tokens == 7 and read.eos_token_id == 0
inputs = tokenizer("Hello world", return_tensors="pt")
one = model.generate(**inputs, generation_config=read)
assert torch.equal(one, model.generate(**inputs, max_new_tokens=7, do_sample=False, pad_token_id=0))
model.generation_config.max_new_tokens = 7
model.generation_config.pad_token_id = 0
assert torch.equal(one, model.generate(**inputs))
