"""A head of another size is refused, and replaced when ignore_mismatched_sizes says so."""

import torch
from transformers import AutoModelForSequenceClassification

name = "distilbert-base-uncased-finetuned-sst-2-english"
try:
    AutoModelForSequenceClassification.from_pretrained(name, num_labels=5)
except RuntimeError as error:
    assert "size" in str(error)
else:
    raise AssertionError("weights of two labels cannot be those of five")
old = AutoModelForSequenceClassification.from_pretrained(name)
new = AutoModelForSequenceClassification.from_pretrained(name, num_labels=5, ignore_mismatched_sizes=True)
assert new.classifier.weight.shape == (5, 32)
assert torch.equal(old.pre_classifier.weight, new.pre_classifier.weight)
