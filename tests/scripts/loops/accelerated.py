"""The same loop through accelerate."""

from accelerate import Accelerator
from torch.optim import AdamW
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer, default_data_collator, get_scheduler

accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=2)
texts = ["great", "boring", "wonderful", "bad"] * 2
rows = [{**tokenizer(t, padding="max_length", max_length=8), "label": n % 2} for n, t in enumerate(texts)]
loader = DataLoader(rows, batch_size=2, collate_fn=default_data_collator)
optimizer = AdamW(model.parameters(), lr=3e-3)
scheduler = get_scheduler("constant", optimizer)
model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
losses = []
for _ in range(6):
    for batch in loader:
        with accelerator.accumulate(model):
            loss = model(**batch).loss
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            losses.append(loss.item())
assert sum(losses[-4:]) < sum(losses[:4])
assert type(accelerator.unwrap_model(model)).__name__ == "DistilBertForSequenceClassification"
