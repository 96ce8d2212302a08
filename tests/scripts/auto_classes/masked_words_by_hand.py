"""The likeliest word at the mask, from the logits."""

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
model = AutoModelForMaskedLM.from_pretrained("distilbert-base-uncased")
text = "The weather was [MASK] today."
inputs = tokenizer(text, return_tensors="pt")
mask = torch.where(inputs["input_ids"] == tokenizer.mask_token_id)[1]
with torch.no_grad():
    logits = model(**inputs).logits[0, mask, :]
top = torch.topk(logits.softmax(-1), 3, dim=1)
expected = pipeline("fill-mask", model=model, tokenizer=tokenizer)(text, top_k=3)
assert top.indices[0].tolist() == [answer["token"] for answer in expected]
assert torch.allclose(top.values[0], torch.tensor([answer["score"] for answer in expected]), atol=1e-6)
