"""optimizers=(optimizer, scheduler), made outside."""

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [
    {**tokenizer(t, padding="max_length", max_length=8), "label": n} for n, t in enumerate(["so dull", "great music"])
]
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased")
optimizer = torch.optim.SGD(model.classifier.parameters(), lr=0.1)
scheduler = get_linear_schedule_with_warmup(optimizer, 0, 4)
body = {name: p.clone() for name, p in model.distilbert.named_parameters()}
head = model.classifier.weight.clone()
args = TrainingArguments("out", max_steps=4, report_to="none", save_strategy="no", use_cpu=True)
trainer = Trainer(model=model, args=args, train_dataset=rows, optimizers=(optimizer, scheduler))
trainer.train()
assert all(torch.equal(p, body[name]) for name, p in model.distilbert.named_parameters())
assert not torch.equal(head, model.classifier.weight)
assert scheduler.get_last_lr() == [0.0]
