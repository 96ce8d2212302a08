"""inputs_embeds in place of ids, for soft prompts."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
ids = tokenizer("The music was", return_tensors="pt").input_ids
vectors = model.get_input_embeddings()(ids)
with torch.no_grad():
    assert torch.allclose(model(inputs_embeds=vectors).logits, model(ids).logits, atol=1e-5)
plain = model.generate(ids, max_new_tokens=6, do_sample=False, pad_token_id=0)
soft = model.generate(
    inputs_embeds=vectors, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False, pad_token_id=0
)
assert torch.equal(soft[0, -6:], plain[0, -6:])
