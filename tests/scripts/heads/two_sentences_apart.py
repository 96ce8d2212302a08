"""A twin encoder: cosine of two sentences, trained to agree."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("albert-base-v2")
encoder = AutoModel.from_pretrained("albert-base-v2")


def vectors(texts):
    return encoder(**tokenizer(texts, padding=True, return_tensors="pt")).pooler_output


left, right = ["Hello world", "a king"], ["We are happy", "three daughters"]
target = torch.tensor([1.0, -1.0])
optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
losses = []
for _ in range(12):
    loss = torch.nn.functional.cosine_embedding_loss(vectors(left), vectors(right), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0]
with torch.no_grad():
    cosine = torch.cosine_similarity(vectors(left), vectors(right))
assert cosine[0] > cosine[1]
