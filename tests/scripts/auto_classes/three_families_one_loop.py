"""The same lines serve a BERT, a RoBERTa, an ALBERT and an ELECTRA."""

import torch
from transformers import AutoModel, AutoTokenizer

kinds = {}
for checkpoint in ("bert-base-uncased", "roberta-base", "albert-base-v2", "google/electra-small-discriminator"):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModel.from_pretrained(checkpoint)
    encoded = tokenizer("The weather was good today.", return_tensors="pt")
    with torch.no_grad():
        states = model(**encoded).last_hidden_state
    assert states.shape == (1, encoded["input_ids"].shape[1], 32)
    assert torch.isfinite(states).all()
    kinds[checkpoint] = (type(model).__name__, "token_type_ids" in encoded)
assert kinds["bert-base-uncased"] == ("BertModel", True)
assert kinds["roberta-base"] == ("RobertaModel", False)
assert kinds["albert-base-v2"][0] == "AlbertModel"
assert kinds["google/electra-small-discriminator"] == ("ElectraModel", True)
