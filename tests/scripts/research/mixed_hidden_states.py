"""MixText: two texts mixed behind a layer, on layers called one by one (arXiv:2004.12239)."""

import torch
from transformers import BertModel, BertTokenizer

model = BertModel.from_pretrained("bert-base-uncased").eval()
tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
one = tokenizer(["a good film", "no"], padding="max_length", max_length=8, return_tensors="pt")
two = tokenizer(["the weather is fine", "yes"], padding="max_length", max_length=8, return_tensors="pt")


def mixed(share):
    masks = [(1.0 - batch["attention_mask"][:, None, None, :].float()) * -10000.0 for batch in (one, two)]
    first, second = (
        model.embeddings(batch["input_ids"], token_type_ids=batch["token_type_ids"]) for batch in (one, two)
    )
    first = model.encoder.layer[0](first, masks[0])[0]
    second = model.encoder.layer[0](second, masks[1])[0]
    states = share * first + (1 - share) * second
    return model.encoder.layer[1](states, masks[0])[0]


with torch.no_grad():
    real = one["attention_mask"].bool()
    assert torch.allclose(mixed(1.0)[real], model(**one).last_hidden_state[real], atol=1e-5)
    assert mixed(0.5).shape == (2, 8, 32) and not torch.allclose(mixed(0.5), mixed(1.0), atol=1e-2)
    assert model.pooler(mixed(0.5)).shape == (2, 32)
