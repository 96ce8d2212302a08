"""model_init makes every trial start from the same weights."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [
    {**tokenizer(t, padding="max_length", max_length=8), "label": n} for n, t in enumerate(["so dull", "great music"])
]


def model_init():
    return AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased")


def losses(rate):
    args = TrainingArguments(
        "out",
        learning_rate=rate,
        max_steps=15,
        logging_steps=1,
        seed=7,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
    )
    trainer = Trainer(args=args, train_dataset=rows, model_init=model_init)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


slow, fast, again = losses(1e-5), losses(5e-3), losses(5e-3)
assert fast == again
assert abs(slow[0] - fast[0]) < 1e-6
assert sum(fast[-4:]) < sum(slow[-4:])
