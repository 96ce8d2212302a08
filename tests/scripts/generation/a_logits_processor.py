"""Scores changed before a token is chosen: only some tokens are allowed."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList


class Only(LogitsProcessor):
    def __init__(self, allowed):
        self.allowed = allowed

    def __call__(self, input_ids, scores):
        mask = torch.full_like(scores, float("-inf"))
        mask[:, self.allowed] = 0
        return scores + mask


tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer("How old are you?", return_tensors="pt")
yes_no = [tokenizer(word)["input_ids"][0] for word in (" twenty", " years")]
ids = model.generate(
    **inputs, logits_processor=LogitsProcessorList([Only(yes_no)]), max_new_tokens=6, do_sample=False, pad_token_id=0
)
new = ids[0, inputs["input_ids"].shape[1] :].tolist()
assert set(new) <= set(yes_no) and len(new) == 6
with torch.no_grad():
    first = model(**inputs).logits[0, -1, yes_no].argmax().item()
assert new[0] == yes_no[first]
