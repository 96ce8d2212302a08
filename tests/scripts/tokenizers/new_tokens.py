"""Tokens and special tokens added; the model grows with them."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = AutoModel.from_pretrained("bert-base-uncased")
size = len(tokenizer)
assert tokenizer.add_tokens(["butterflynet", "koreanword"]) == 2
assert tokenizer.add_special_tokens({"additional_special_tokens": ["<speaker1>", "<speaker2>"]}) == 2
assert len(tokenizer) == size + 4
assert tokenizer.tokenize("<speaker1> a butterflynet") == ["<speaker1>", "a", "butterflynet"]
old = model.embeddings.word_embeddings.weight.clone()
model.resize_token_embeddings(len(tokenizer))
assert model.config.vocab_size == size + 4
assert torch.equal(model.embeddings.word_embeddings.weight[:size], old)
out = model(**tokenizer("<speaker1> a butterflynet", return_tensors="pt")).last_hidden_state
assert out.shape[1] == 5
assert tokenizer.decode(tokenizer("<speaker2> hello")["input_ids"], skip_special_tokens=True) == "hello"
tokenizer.save_pretrained("mine")
again = AutoTokenizer.from_pretrained("mine")
assert again("<speaker1> butterflynet")["input_ids"] == tokenizer("<speaker1> butterflynet")["input_ids"]
