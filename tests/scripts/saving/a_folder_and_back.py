"""save_pretrained and from_pretrained, model and tokenizer together."""

import json
import os

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=3)
model.save_pretrained("my-model")
tokenizer.save_pretrained("my-model")
assert {"config.json", "model.safetensors", "tokenizer_config.json"} <= set(os.listdir("my-model"))
with open("my-model/config.json") as file:
    assert json.load(file)["architectures"] == ["BertForSequenceClassification"]
again = AutoModelForSequenceClassification.from_pretrained("./my-model")
inputs = AutoTokenizer.from_pretrained("./my-model")("Hello world!", return_tensors="pt")
assert inputs["input_ids"].equal(tokenizer("Hello world!", return_tensors="pt")["input_ids"])
with torch.no_grad():
    assert torch.equal(model(**inputs).logits, again(**inputs).logits)
