"""Batches of one and of many give the same features."""

import torch
from transformers import AutoModel, AutoTokenizer

texts = [
    "king",
    "There was a king who had three daughters.",
    "Hello world!",
    "the music was great and the film too long",
]
for name in ("roberta-base", "google/electra-small-discriminator", "albert-base-v2"):
    tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval()
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        together = model(**batch).last_hidden_state
        for row, text in enumerate(texts):
            alone = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            assert torch.allclose(together[row, : len(alone)], alone, atol=1e-4), name
