"""A sentence's vector is the mean over its real tokens."""

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer


class MeanPooled(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(name)

    def forward(self, input_ids, attention_mask, **rest):
        states = self.encoder(input_ids, attention_mask=attention_mask, **rest)[0]
        mask = attention_mask.unsqueeze(-1).expand(states.size()).float()
        return (states * mask).sum(1) / torch.clamp(mask.sum(1), min=1e-9)


tokenizer = AutoTokenizer.from_pretrained("distilroberta-base")
model = MeanPooled("distilroberta-base").eval()
texts = ["Hello world!", "The weather was good today, and the music was great."]
with torch.no_grad():
    together = model(**tokenizer(texts, padding=True, return_tensors="pt"))
    for row, text in zip(together, texts):
        alone = tokenizer(text, return_tensors="pt")
        states = model.encoder(**alone).last_hidden_state[0]
        assert torch.allclose(row, states.mean(0), atol=1e-4)
