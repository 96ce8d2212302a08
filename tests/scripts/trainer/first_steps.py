"""The first Trainer: a Dataset of encodings, a few arguments, train, evaluate, predict."""

import torch
from transformers import BertForSequenceClassification, BertTokenizerFast, Trainer, TrainingArguments


class Reviews(torch.utils.data.Dataset):
    def __init__(self, encodings, labels):
        self.encodings = encodings
        self.labels = labels

    def __getitem__(self, idx):
        item = {key: torch.tensor(val[idx]) for key, val in self.encodings.items()}
        item["labels"] = torch.tensor(self.labels[idx])
        return item

    def __len__(self):
        return len(self.labels)


tokenizer = BertTokenizerFast.from_pretrained("bert-base-uncased")
texts, labels = ["great music", "a boring film", "wonderful", "badly written"] * 2, [1, 0, 1, 0] * 2
data = Reviews(tokenizer(texts, truncation=True, padding=True), labels)
args = TrainingArguments(
    output_dir="./results",
    num_train_epochs=25,
    per_device_train_batch_size=4,
    per_device_eval_batch_size=8,
    learning_rate=5e-3,
    weight_decay=0.01,
    logging_steps=10,
    save_strategy="no",
    report_to="none",
    use_cpu=True,
)
trainer = Trainer(
    model=BertForSequenceClassification.from_pretrained("bert-base-uncased"),
    args=args,
    train_dataset=data,
    eval_dataset=data,
)
before = trainer.evaluate()["eval_loss"]
result = trainer.train()
assert result.global_step == 50 and trainer.state.epoch == 25
assert [entry["step"] for entry in trainer.state.log_history if "loss" in entry] == [10, 20, 30, 40, 50]
assert trainer.evaluate()["eval_loss"] < before
assert trainer.predict(data).predictions.argmax(-1).tolist() == labels
