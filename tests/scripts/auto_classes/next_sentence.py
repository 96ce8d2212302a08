"""Does the second sentence follow the first? BERT's other objective."""

import torch
from transformers import AutoTokenizer, BertForNextSentencePrediction, BertForPreTraining

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
inputs = tokenizer("How old are you?", "I am twenty years old.", return_tensors="pt")
assert inputs["token_type_ids"].sum() > 0
model = BertForNextSentencePrediction.from_pretrained("bert-base-uncased")
with torch.no_grad():
    logits = model(**inputs).logits
    loss = model(**inputs, labels=torch.tensor([1])).loss
    both = BertForPreTraining.from_pretrained("bert-base-uncased")(**inputs)
assert logits.shape == (1, 2)
assert torch.allclose(loss, torch.nn.functional.cross_entropy(logits, torch.tensor([1])), atol=1e-6)
assert torch.allclose(both.seq_relationship_logits, logits, atol=1e-6)
