"""BertPreTrainedModel as a base: the body loads from the checkpoint, the head starts anew."""

import tempfile

import torch
from torch import nn
from transformers import BertModel, BertPreTrainedModel, BertTokenizerFast


class BertForTwoTasks(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.bert = BertModel(config)
        self.topic = nn.Linear(config.hidden_size, 5)
        self.mood = nn.Linear(config.hidden_size, 2)
        self.init_weights()

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None):
        pooled = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[1]
        return self.topic(pooled), self.mood(pooled)


model = BertForTwoTasks.from_pretrained("bert-base-uncased")
inputs = BertTokenizerFast.from_pretrained("bert-base-uncased")("Hello world", return_tensors="pt")
plain = BertModel.from_pretrained("bert-base-uncased")
assert torch.allclose(model.bert(**inputs)[1], plain(**inputs)[1], atol=1e-6)
topic, mood = model(**inputs)
assert topic.shape == (1, 5) and mood.shape == (1, 2)
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    again = BertForTwoTasks.from_pretrained(folder)
assert torch.allclose(again(**inputs)[0], topic, atol=1e-5)
