"""The encoder stands still; only the head learns."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2)
for parameter in model.bert.parameters():
    parameter.requires_grad = False
trainable = [name for name, p in model.named_parameters() if p.requires_grad]
assert trainable == ["classifier.weight", "classifier.bias"]
assert model.num_parameters(only_trainable=True) == 32 * 2 + 2

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
batch = tokenizer(["great", "boring", "wonderful", "bad"], padding=True, return_tensors="pt")
labels = torch.tensor([1, 0, 1, 0])
before = model.bert.encoder.layer[0].attention.self.query.weight.clone()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
first = model.eval()(**batch, labels=labels).loss.item()
for _ in range(60):
    loss = model(**batch, labels=labels).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
assert model.eval()(**batch, labels=labels).loss.item() < first
assert torch.equal(before, model.bert.encoder.layer[0].attention.self.query.weight)
