"""The training loop of a first course: DataLoader, AdamW, a linear schedule."""

import torch
from torch.optim import AdamW
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, get_scheduler

checkpoint = "bert-base-uncased"
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
texts = ["great music", "a boring film", "wonderful actors", "badly written", "I loved this", "I hated it"]
rows = [{**tokenizer(text), "labels": number % 2} for number, text in enumerate(texts)]
loader = DataLoader(rows, shuffle=True, batch_size=4, collate_fn=DataCollatorWithPadding(tokenizer=tokenizer))
model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2)
optimizer = AdamW(model.parameters(), lr=5e-3)
epochs = 25
steps = epochs * len(loader)
scheduler = get_scheduler("linear", optimizer=optimizer, num_warmup_steps=0, num_training_steps=steps)
losses = []
model.train()
for _ in range(epochs):
    for batch in loader:
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        losses.append(loss.item())
assert sum(losses[-10:]) < sum(losses[:10])
assert scheduler.get_last_lr()[0] == 0
model.eval()
with torch.no_grad():
    answers = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.argmax(-1)
assert answers.tolist() == [0, 1] * 3
