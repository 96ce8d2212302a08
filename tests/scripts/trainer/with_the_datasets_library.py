"""load, map, split, and train, as the course does."""

from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
raw = Dataset.from_dict(
    {
        "sentence1": ["Hello world!", "How old are you?", "The weather was good.", "A king"] * 2,
        "sentence2": ["Hello!", "I am twenty.", "It was boring.", "A king"] * 2,
        "label": [1, 0, 0, 1] * 2,
        "idx": list(range(8)),
    }
)
split = raw.train_test_split(test_size=2, seed=0)
tokenized = split.map(lambda rows: tokenizer(rows["sentence1"], rows["sentence2"], truncation=True), batched=True)
assert {"input_ids", "token_type_ids", "attention_mask"} <= set(tokenized["train"].column_names)
trainer = Trainer(
    AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2),
    TrainingArguments("out", num_train_epochs=2, per_device_train_batch_size=3, report_to="none", use_cpu=True),
    train_dataset=tokenized["train"],
    eval_dataset=tokenized["test"],
    data_collator=DataCollatorWithPadding(tokenizer=tokenizer),
    processing_class=tokenizer,
)
result = trainer.train()
assert result.global_step == 4
predictions = trainer.predict(tokenized["test"])
assert predictions.predictions.shape == (2, 2)
assert predictions.label_ids.tolist() == tokenized["test"]["label"][:]
