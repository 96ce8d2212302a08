"""Real vectors: sentences of one meaning are near each other."""

import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

name = "sentence-transformers/all-MiniLM-L6-v2"
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModel.from_pretrained(name)
sentences = ["A man is eating food.", "Someone eats a meal.", "The stock market fell today."]
encoded = tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    states = model(**encoded)[0]
mask = encoded["attention_mask"].unsqueeze(-1).expand(states.size()).float()
vectors = F.normalize(torch.sum(states * mask, 1) / torch.clamp(mask.sum(1), min=1e-9), p=2, dim=1)
similarity = vectors @ vectors.T
assert similarity[0, 1] > 0.6 > 0.2 > similarity[0, 2]
assert torch.allclose(similarity.diag(), torch.ones(3), atol=1e-5)
