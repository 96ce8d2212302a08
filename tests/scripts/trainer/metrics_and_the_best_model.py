"""compute_metrics, an evaluation per epoch, and the best checkpoint at the end."""

import numpy as np
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [{**tokenizer(t), "label": n % 2} for n, t in enumerate(["great", "boring film", "so wonderful", "bad"] * 2)]


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    return {"accuracy": float((np.argmax(logits, axis=-1) == labels).mean())}


args = TrainingArguments(
    "out",
    eval_strategy="epoch",
    save_strategy="epoch",
    learning_rate=1e-3,
    num_train_epochs=5,
    per_device_train_batch_size=4,
    load_best_model_at_end=True,
    metric_for_best_model="accuracy",
    save_total_limit=1,
    report_to=[],
    use_cpu=True,
)
trainer = Trainer(
    model=AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=2),
    args=args,
    train_dataset=rows,
    eval_dataset=rows,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_metrics=compute_metrics,
)
trainer.train()
seen = [entry["eval_accuracy"] for entry in trainer.state.log_history if "eval_accuracy" in entry]
assert len(seen) == 5 and trainer.state.best_metric == max(seen)
assert trainer.evaluate()["eval_accuracy"] == max(seen)
best = AutoModelForSequenceClassification.from_pretrained(trainer.state.best_model_checkpoint)
assert all(a.equal(b) for a, b in zip(best.state_dict().values(), trainer.model.state_dict().values()))
