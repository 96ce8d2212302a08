"""SQuAD's start and end as tokens, found through offsets, and their loss."""

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
context, answer = "My name is Minji and I work in Seoul.", "Seoul"
begin = context.index(answer)
encoded = tokenizer("Where do I work?", context, return_offsets_mapping=True, return_tensors="pt")
offsets = encoded.pop("offset_mapping")[0].tolist()
part = encoded.sequence_ids(0)
inside = [n for n, (s, e) in enumerate(offsets) if part[n] == 1 and s >= begin and e <= begin + len(answer)]
start, end = inside[0], inside[-1]
assert context[offsets[start][0] : offsets[end][1]] == answer
model = AutoModelForQuestionAnswering.from_pretrained("bert-base-cased").eval()
out = model(**encoded, start_positions=torch.tensor([start]), end_positions=torch.tensor([end]))
loss = torch.nn.functional.cross_entropy
expected = (loss(out.start_logits, torch.tensor([start])) + loss(out.end_logits, torch.tensor([end]))) / 2
assert torch.allclose(out.loss, expected, atol=1e-6)
