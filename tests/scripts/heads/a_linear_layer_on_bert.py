"""The commonest custom model: BERT's first token, dropout, a linear layer."""

import torch
from torch import nn
from transformers import BertModel, BertTokenizer


class Classifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.bert = BertModel.from_pretrained("bert-base-uncased")
        self.dropout = nn.Dropout(0.1)
        self.linear = nn.Linear(self.bert.config.hidden_size, classes)

    def forward(self, input_ids, attention_mask):
        outputs = self.bert(input_ids=input_ids, attention_mask=attention_mask)
        return self.linear(self.dropout(outputs.last_hidden_state[:, 0]))


tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
batch = tokenizer(["I loved this movie", "boring"], padding="max_length", max_length=12, return_tensors="pt")
model = Classifier(4)
logits = model(batch["input_ids"], batch["attention_mask"])
assert logits.shape == (2, 4)
nn.functional.cross_entropy(logits, torch.tensor([0, 3])).backward()
assert model.bert.embeddings.word_embeddings.weight.grad.abs().sum() > 0
assert model.linear.weight.grad.abs().sum() > 0
model.eval()
alone = tokenizer("boring", return_tensors="pt")
short = model(alone["input_ids"], alone["attention_mask"])
padded = model(batch["input_ids"], batch["attention_mask"])[1:]
assert torch.allclose(short, padded, atol=1e-4)
