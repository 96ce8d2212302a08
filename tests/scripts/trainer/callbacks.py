"""A callback of one's own, and stopping early."""

from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


class Counter(TrainerCallback):
    def __init__(self):
        self.events = []

    def on_epoch_begin(self, args, state, control, **kwargs):
        self.events.append("epoch")

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        self.events.append("evaluate")
        assert "eval_loss" in metrics

    def on_train_end(self, args, state, control, model=None, **kwargs):
        self.events.append("end")
        assert model is not None and state.global_step > 0


tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [{**tokenizer(t, padding="max_length", max_length=5), "label": n % 2} for n, t in enumerate(["great", "dull"])]
args = TrainingArguments(
    "out",
    num_train_epochs=20,
    learning_rate=0.0,
    eval_strategy="epoch",
    save_strategy="epoch",
    load_best_model_at_end=True,
    metric_for_best_model="eval_loss",
    greater_is_better=False,
    report_to="none",
    use_cpu=True,
)
counter = Counter()
trainer = Trainer(
    AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased"),
    args,
    train_dataset=rows,
    eval_dataset=rows,
    callbacks=[counter, EarlyStoppingCallback(early_stopping_patience=2)],
)
trainer.add_callback(TrainerCallback)
trainer.train()
assert trainer.state.epoch == 3
assert counter.events == ["epoch", "evaluate"] * 3 + ["end"]
