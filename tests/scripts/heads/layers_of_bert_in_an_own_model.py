"""A model of one's own from BERT's parts: its embeddings, more features of every word, its layers."""

import torch
from torch import nn
from transformers import AutoTokenizer, BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertEmbeddings, BertEncoder, BertPooler, BertPreTrainedModel


class BertWithTags(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.embeddings = BertEmbeddings(config)
        self.tags = nn.Embedding(5, config.hidden_size)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config)
        self.classifier = nn.Linear(config.hidden_size, 2)
        self.init_weights()

    def forward(self, input_ids, attention_mask, tags):
        added = (1.0 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        hidden = self.embeddings(input_ids=input_ids) + self.tags(tags)
        hidden = self.encoder(hidden, attention_mask=added)[0]
        return self.classifier(self.pooler(hidden)), hidden


tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
body = BertModel.from_pretrained("bert-base-cased").eval()
model = BertWithTags(BertConfig.from_pretrained("bert-base-cased"))
missing = model.load_state_dict(body.state_dict(), strict=False).missing_keys
assert sorted(missing) == ["classifier.bias", "classifier.weight", "tags.weight"]
model.eval()
inputs = tokenizer(["Minji works in Seoul", "Hello"], padding=True, return_tensors="pt")
mask, tags = inputs["attention_mask"], torch.zeros_like(inputs["input_ids"])
with torch.no_grad():
    model.tags.weight.zero_()
    logits, hidden = model(inputs["input_ids"], mask, tags)
    expected = body(**inputs).last_hidden_state
assert logits.shape == (2, 2)
real = mask.bool()
assert torch.allclose(hidden[real], expected[real], atol=1e-5)
nn.functional.cross_entropy(model(inputs["input_ids"], mask, tags)[0], torch.tensor([0, 1])).backward()
assert model.encoder.layer[0].attention.self.query.weight.grad.norm() > 0
