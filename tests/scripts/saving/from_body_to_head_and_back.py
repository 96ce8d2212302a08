"""A checkpoint without prefix loads into a model with a head, and the other way round."""

import torch
from transformers import BertForSequenceClassification, BertModel

body = BertModel.from_pretrained("bert-base-uncased")
body.save_pretrained("body")
with_head = BertForSequenceClassification.from_pretrained("body")
key = "encoder.layer.1.output.dense.weight"
assert torch.equal(with_head.bert.state_dict()[key], body.state_dict()[key])
with_head.save_pretrained("headed")
back = BertModel.from_pretrained("headed")
assert all(torch.equal(weight, back.state_dict()[name]) for name, weight in body.state_dict().items())
