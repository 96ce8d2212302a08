"""The nearest of several answers to a question."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("sentence-transformers/all-MiniLM-L6-v2")
model = AutoModel.from_pretrained("sentence-transformers/all-MiniLM-L6-v2")


def embed(texts):
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)


documents = ["Paris is the capital of France.", "Butter is made from milk.", "Seoul lies on the river Han."]
for question, answer in (
    ("Which city is France governed from?", 0),
    ("How is butter produced?", 1),
    ("Seoul river", 2),
):
    assert (embed([question]) @ embed(documents).T).argmax().item() == answer
