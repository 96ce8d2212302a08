"""id2label and label2id go into the configuration, and come back from disk with numbers as keys."""

import tempfile

from transformers import AutoModelForSequenceClassification

names = ["sadness", "joy", "anger"]
model = AutoModelForSequenceClassification.from_pretrained(
    "distilbert-base-uncased",
    num_labels=3,
    id2label=dict(enumerate(names)),
    label2id={name: number for number, name in enumerate(names)},
)
assert model.config.num_labels == 3 and model.classifier.out_features == 3
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    again = AutoModelForSequenceClassification.from_pretrained(folder)
assert again.config.id2label == {0: "sadness", 1: "joy", 2: "anger"}
assert again.config.label2id["anger"] == 2
