"""evaluation_strategy, tokenizer=, no_cuda, warmup_ratio: the Trainer of 2020 to 2024 (all gone in version 5)."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [{**tokenizer(t), "label": n % 2} for n, t in enumerate(["great", "boring film", "so wonderful", "bad"])]
args = TrainingArguments(
    output_dir="out",
    overwrite_output_dir=True,
    evaluation_strategy="steps",
    eval_steps=2,
    save_strategy="no",
    max_steps=10,
    warmup_ratio=0.2,
    logging_dir="logs",
    logging_steps=2,
    per_device_train_batch_size=2,
    group_by_length=True,
    no_cuda=True,
    report_to="none",
)
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased")
trainer = Trainer(model, args, train_dataset=rows, eval_dataset=rows, tokenizer=tokenizer)
trainer.train()
assert trainer.state.global_step == 10
assert sum("eval_loss" in entry for entry in trainer.state.log_history) == 5
rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
assert rates[0] < max(rates) and rates[-1] < rates[1]
assert args.warmup_ratio == 0.2 and args.get_warmup_steps(10) == 2
assert trainer.tokenizer is tokenizer
