"""Prompt tuning: a module of one's own in place of the word embeddings (arXiv:2104.08691)."""

import torch
from torch import nn
from transformers import GPT2LMHeadModel


class SoftEmbedding(nn.Module):
    def __init__(self, wte, n_tokens):
        super().__init__()
        self.wte, self.n_tokens = wte, n_tokens
        self.learned_embedding = nn.Parameter(wte.weight[:n_tokens].clone().detach())

    def forward(self, tokens):
        words = self.wte(tokens[:, self.n_tokens :])
        return torch.cat([self.learned_embedding.repeat(len(words), 1, 1), words], 1)


model = GPT2LMHeadModel.from_pretrained("gpt2").eval()
ids = torch.tensor([[20, 30, 40], [50, 60, 70]])
plain = model(torch.cat([torch.arange(4).expand(2, -1), ids], 1)).logits
soft = SoftEmbedding(model.get_input_embeddings(), 4)
model.set_input_embeddings(soft)
full = torch.cat([torch.full((2, 4), 50), ids], 1)
out = model(input_ids=full, labels=full)
assert torch.allclose(out.logits, plain, atol=1e-5)
out.loss.backward()
assert soft.learned_embedding.grad.norm() > 0
