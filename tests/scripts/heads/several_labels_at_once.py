"""problem_type decides the loss: a sigmoid per label."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained(
    "distilbert-base-uncased", num_labels=3, problem_type="multi_label_classification"
)
tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
inputs = tokenizer(["great music", "a bad movie"], padding=True, return_tensors="pt")
labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
output = model(**inputs, labels=labels)
expected = torch.nn.functional.binary_cross_entropy_with_logits(output.logits, labels)
assert torch.allclose(output.loss, expected, atol=1e-6)

regression = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=1)
output = regression(**inputs, labels=torch.tensor([0.5, 2.0]))
expected = torch.nn.functional.mse_loss(output.logits.squeeze(), torch.tensor([0.5, 2.0]))
assert torch.allclose(output.loss, expected, atol=1e-6)
