"""Hidden states as lists of numbers, or as a tensor."""

import torch
from transformers import AutoModel, AutoTokenizer, pipeline

extractor = pipeline("feature-extraction", model="distilbert-base-uncased")
features = extractor("machine learning")
model = AutoModel.from_pretrained("distilbert-base-uncased")
tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
with torch.no_grad():
    expected = model(**tokenizer("machine learning", return_tensors="pt")).last_hidden_state
assert torch.allclose(torch.tensor(features), expected, atol=1e-5)
tensor = extractor("machine learning", return_tensors=True)
assert torch.allclose(tensor, expected, atol=1e-5)
