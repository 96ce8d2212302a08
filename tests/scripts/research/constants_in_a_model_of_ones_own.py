"""Buffers and plain tensors that a model's own __init__ makes are there after from_pretrained, with their values."""

import torch
from torch import nn
from transformers import AutoTokenizer, BertModel, BertPreTrainedModel


class Weighted(BertPreTrainedModel):
    def __init__(self, config, top=2.0):
        super().__init__(config)
        self.bert = BertModel(config)
        for parameter in self.bert.parameters():
            parameter.requires_grad = False
        self.register_buffer("weights", torch.tensor([0.1, 0.2, 0.7]))
        self.register_buffer("triangle", torch.tril(torch.ones(4, 4)), persistent=False)
        self.prefix_tokens = torch.arange(4).long()
        self.total = float(self.weights.sum()) * top
        self.classifier = nn.Linear(config.hidden_size, 3)
        self.init_weights()

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        return self.classifier(self.bert(input_ids, attention_mask, token_type_ids)[1]) * self.weights


tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = Weighted.from_pretrained("bert-base-uncased", top=3.0).eval()
assert torch.allclose(model.weights, torch.tensor([0.1, 0.2, 0.7])) and abs(model.total - 3.0) < 1e-5
assert torch.equal(model.triangle, torch.tril(torch.ones(4, 4)))
assert model.prefix_tokens.unsqueeze(0).expand(2, -1).to(model.device).tolist() == [[0, 1, 2, 3]] * 2
assert [name for name, p in model.named_parameters() if p.requires_grad] == ["classifier.weight", "classifier.bias"]
with torch.no_grad():
    inputs = tokenizer(["a good film", "no"], padding=True, return_tensors="pt")
    logits = model(**inputs)
    model.save_pretrained("saved")
    assert torch.allclose(Weighted.from_pretrained("saved")(**inputs), logits, atol=1e-6)
