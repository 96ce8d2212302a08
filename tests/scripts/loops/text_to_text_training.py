"""T5: labels from the tokenizer, padding ignored by the loss."""

import torch
from transformers import T5ForConditionalGeneration, T5TokenizerFast

tokenizer = T5TokenizerFast.from_pretrained("t5-small")
model = T5ForConditionalGeneration.from_pretrained("t5-small").eval()
inputs = tokenizer(["translate: the house", "summarize: the weather was good"], padding=True, return_tensors="pt")
labels = tokenizer(["wonderful", "many people visit the city"], padding=True, return_tensors="pt").input_ids
assert labels[0, -1] == tokenizer.pad_token_id
labels[labels == tokenizer.pad_token_id] = -100
output = model(**inputs, labels=labels)
expected = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
assert torch.allclose(output.loss, expected, atol=1e-4)
shifted = torch.cat([torch.zeros(2, 1, dtype=torch.long), labels[:, :-1].clamp(min=0)], 1)
by_hand = model(**inputs, decoder_input_ids=shifted).logits
assert torch.allclose(by_hand[labels != -100], output.logits[labels != -100], atol=1e-4)
