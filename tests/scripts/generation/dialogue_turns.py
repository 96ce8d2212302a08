"""DialoGPT: turns end in the end token; history is what was written so far."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("microsoft/DialoGPT-small")
model = AutoModelForCausalLM.from_pretrained("microsoft/DialoGPT-small")
history = None
for step, said in enumerate(["Hello world!", "How old are you?"]):
    new = tokenizer.encode(said + tokenizer.eos_token, return_tensors="pt")
    assert new[0, -1] == tokenizer.eos_token_id
    bot_input = torch.cat([history, new], dim=-1) if step else new
    history = model.generate(bot_input, max_new_tokens=30, pad_token_id=tokenizer.eos_token_id)
    assert torch.equal(history[:, : bot_input.shape[-1]], bot_input) and history.shape[1] <= bot_input.shape[1] + 30
    answer = tokenizer.decode(history[:, bot_input.shape[-1] :][0], skip_special_tokens=True)
    assert "<|endoftext|>" not in answer
