"""compute_loss overridden: classes weigh differently."""

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments


class WeightedTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        weights = torch.tensor([1.0, 5.0], device=outputs.logits.device)
        loss = nn.CrossEntropyLoss(weight=weights)(outputs.logits.view(-1, 2), labels.view(-1))
        return (loss, outputs) if return_outputs else loss


tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [{**tokenizer(t), "labels": n % 2} for n, t in enumerate(["great music", "dull", "a king", "Paris"])]
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased")
args = TrainingArguments("out", max_steps=1, report_to="none", save_strategy="no", use_cpu=True)
trainer = WeightedTrainer(model=model, args=args, train_dataset=rows, eval_dataset=rows, processing_class=tokenizer)
loss = trainer.evaluate()["eval_loss"]
batch = tokenizer(["great music", "dull", "a king", "Paris"], padding=True, return_tensors="pt")
with torch.no_grad():
    logits = model(**batch).logits
expected = nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1]), weight=torch.tensor([1.0, 5.0]))
assert abs(loss - expected.item()) < 1e-4
assert trainer.train().global_step == 1
