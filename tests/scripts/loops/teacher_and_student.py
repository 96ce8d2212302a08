"""A small model learns from a large one's probabilities."""

import torch
from torch.nn.functional import kl_div, log_softmax, softmax
from transformers import AutoModelForSequenceClassification, AutoTokenizer

name = "distilbert-base-uncased-finetuned-sst-2-english"
teacher = AutoModelForSequenceClassification.from_pretrained(name)
student = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", n_layers=1, num_labels=2)
assert len(student.distilbert.transformer.layer) == 1
batch = AutoTokenizer.from_pretrained(name)(
    ["great", "boring", "Hello world", "a king"], padding=True, return_tensors="pt"
)
with torch.no_grad():
    target = softmax(teacher(**batch).logits / 2, -1)
optimizer = torch.optim.AdamW(student.parameters(), lr=1e-2)
losses = []
for _ in range(25):
    loss = kl_div(log_softmax(student(**batch).logits / 2, -1), target, reduction="batchmean") * 4
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 2
