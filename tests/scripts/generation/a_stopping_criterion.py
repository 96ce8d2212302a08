"""Criteria of one's own, a time limit, and a string that ends the text."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, MaxTimeCriteria, StoppingCriteria, StoppingCriteriaList


class EnoughTokens(StoppingCriteria):
    def __init__(self, count):
        self.count = count

    def __call__(self, input_ids, scores, **kwargs):
        return torch.full((input_ids.shape[0],), input_ids.shape[1] >= self.count, dtype=torch.bool)


tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer("Hello world", return_tensors="pt")
criteria = StoppingCriteriaList([EnoughTokens(9), MaxTimeCriteria(max_time=30.0)])
ids = model.generate(**inputs, stopping_criteria=criteria, max_new_tokens=50, do_sample=False, pad_token_id=0)
assert ids.shape[1] == 9
longer = model.generate(**inputs, max_new_tokens=20, do_sample=False, pad_token_id=0)
new = tokenizer.decode(longer[0, inputs["input_ids"].shape[1] + 3])
stopped = model.generate(
    **inputs, stop_strings=[new], tokenizer=tokenizer, max_new_tokens=20, do_sample=False, pad_token_id=0
)
assert tokenizer.decode(stopped[0]).endswith(new) and stopped.shape[1] < longer.shape[1]
