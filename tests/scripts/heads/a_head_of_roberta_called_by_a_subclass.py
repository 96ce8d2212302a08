"""Two heads of RoBERTa used by classes of one's own: the classifier by a subclass, the vocabulary head by itself."""

import torch
from transformers import AutoTokenizer, RobertaForSequenceClassification
from transformers.models.roberta.modeling_roberta import RobertaLMHead, RobertaModel, RobertaPreTrainedModel


class Smoothed(RobertaForSequenceClassification):
    def forward(self, input_ids=None, attention_mask=None, labels=None):
        states = self.roberta(input_ids, attention_mask=attention_mask)[0]
        logits = self.classifier(states)
        loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
        return loss, logits


class Contrasted(RobertaPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)
        self.post_init()


tokenizer = AutoTokenizer.from_pretrained("roberta-base")
inputs = tokenizer(["a good film", "no"], padding=True, return_tensors="pt")
model = Smoothed.from_pretrained("roberta-base", num_labels=2).eval()
loss, logits = model(**inputs, labels=torch.tensor([1, 0]))
assert logits.shape == (2, 2)
loss.backward()
plain = RobertaForSequenceClassification.from_pretrained("roberta-base", num_labels=2).eval()
plain.load_state_dict(model.state_dict())
assert torch.allclose(plain(**inputs).logits, logits, atol=1e-6)

two = Contrasted.from_pretrained("roberta-base").eval()
states = two.roberta(**inputs).last_hidden_state
assert two.lm_head(states).shape == (*inputs["input_ids"].shape, two.config.vocab_size)
