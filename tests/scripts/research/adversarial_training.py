"""FGM: word embeddings moved along their gradient for a second pass, and put back (arXiv:1605.07725)."""

import torch
from transformers import AutoTokenizer, BertForSequenceClassification


class FGM:
    def __init__(self, model):
        self.model, self.backup = model, {}

    def attack(self, epsilon=1.0, emb_name="word_embeddings"):
        for name, param in self.model.named_parameters():
            if param.requires_grad and emb_name in name:
                self.backup[name] = param.data.clone()
                norm = torch.norm(param.grad)
                if norm != 0 and not torch.isnan(norm):
                    param.data.add_(epsilon * param.grad / norm)

    def restore(self):
        for name, param in self.model.named_parameters():
            if name in self.backup:
                param.data = self.backup[name]
        self.backup = {}


tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = BertForSequenceClassification.from_pretrained(
    "klue/bert-base", num_labels=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
)
model.train()
batch = tokenizer(["영화가 좋았다", "지루했어요"], padding=True, return_tensors="pt")
labels = torch.tensor([1, 0])
fgm = FGM(model)
loss = model(**batch, labels=labels)[0]
loss.backward()
fgm.attack()
assert list(fgm.backup) == ["bert.embeddings.word_embeddings.weight"]
attacked = model(**batch, labels=labels)[0]
attacked.backward()
assert attacked > loss
fgm.restore()
assert torch.allclose(model(**batch, labels=labels)[0], loss)
