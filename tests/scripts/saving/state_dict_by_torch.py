"""torch.save of a state_dict, and a folder made by torch alone."""

import torch
from transformers import AutoConfig, AutoModel, BertModel

model = AutoModel.from_pretrained("bert-base-cased")
torch.save(model.state_dict(), "weights.pt")
fresh = BertModel(AutoConfig.from_pretrained("bert-base-cased"))
name = "encoder.layer.0.attention.self.query.weight"
assert not torch.equal(fresh.state_dict()[name], model.state_dict()[name])
result = fresh.load_state_dict(torch.load("weights.pt", weights_only=True))
assert not result.missing_keys and not result.unexpected_keys
assert torch.equal(fresh.state_dict()[name], model.state_dict()[name])
by_keyword = BertModel.from_pretrained(None, config=model.config, state_dict=torch.load("weights.pt"))
assert torch.equal(by_keyword.state_dict()[name], model.state_dict()[name])
