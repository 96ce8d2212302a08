"""Trainer(tokenizer=…) pads batches and is saved beside the model (the argument left in version 5)."""

import os

from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
names = ["O", "B-PER", "B-LOC"]
sentences = [(["Minji", "works", "in", "Seoul"], [1, 0, 0, 2]), (["Hello", "Paris"], [0, 2])]
rows = []
for words, tags in sentences:
    encoded = tokenizer(words, is_split_into_words=True, truncation=True)
    encoded["labels"] = [-100 if word is None else tags[word] for word in encoded.word_ids()]
    rows.append(dict(encoded))
model = AutoModelForTokenClassification.from_pretrained("bert-base-cased", num_labels=3, hidden_dropout_prob=0.0)
args = TrainingArguments(
    "ner", num_train_epochs=40, learning_rate=5e-3, report_to="none", save_strategy="no", use_cpu=True
)
collator = DataCollatorForTokenClassification(tokenizer)
trainer = Trainer(model=model, args=args, train_dataset=rows, tokenizer=tokenizer, data_collator=collator)
trainer.train()
found = trainer.predict(rows)
kept = found.label_ids != -100
assert (found.predictions.argmax(-1)[kept] == found.label_ids[kept]).mean() >= 0.8
trainer.save_model("ner/final")
assert os.path.exists("ner/final/tokenizer_config.json")
assert AutoTokenizer.from_pretrained("ner/final").tokenize("Seoul") == tokenizer.tokenize("Seoul")
