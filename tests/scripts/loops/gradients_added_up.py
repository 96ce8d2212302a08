"""Four small batches give the gradient of one large one."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=2).eval()
texts = ["great", "boring", "good music", "bad film", "I loved it", "I hated it", "wonderful", "too long"]
batch = tokenizer(texts, padding=True, return_tensors="pt")
labels = torch.tensor([1, 0] * 4)
model(**batch, labels=labels).loss.backward()
whole = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
model.zero_grad()
for start in range(0, 8, 2):
    part = {key: value[start : start + 2] for key, value in batch.items()}
    (model(**part, labels=labels[start : start + 2]).loss / 4).backward()
for name, p in model.named_parameters():
    if p.grad is not None:
        assert torch.allclose(p.grad, whole[name], atol=1e-5, rtol=1e-3), name
