"""Labels that no one trained: each becomes a hypothesis, and entailment its score."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

classifier = pipeline("zero-shot-classification", model="facebook/bart-large-mnli")
text = "People visit the city every summer."
labels = ["travel", "cooking", "music"]
result = classifier(text, candidate_labels=labels)
assert result["sequence"] == text
assert sorted(result["labels"]) == sorted(labels)
assert abs(sum(result["scores"]) - 1) < 1e-5

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-large-mnli")
nli = AutoModelForSequenceClassification.from_pretrained("facebook/bart-large-mnli")
entailment = []
for label in labels:
    ids = tokenizer(text, f"This example is {label}.", return_tensors="pt")
    with torch.no_grad():
        entailment.append(nli(**ids).logits[0, nli.config.label2id["entailment"]])
expected = torch.stack(entailment).softmax(0)
for label, score in zip(result["labels"], result["scores"]):
    assert abs(float(expected[labels.index(label)]) - score) < 1e-5
