"""klue/roberta has a BERT tokenizer: token types are given, and must not reach beyond the model's one type."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("klue/roberta-base")
model = AutoModel.from_pretrained("klue/roberta-base")
assert type(model).__name__ == "RobertaModel" and model.config.type_vocab_size == 1
assert tokenizer.tokenize("오늘 날씨가 맑아서")
encoded = tokenizer("오늘 날씨가 맑아서", "나비가 날아다닙니다", return_tensors="pt", return_token_type_ids=False)
assert "token_type_ids" not in encoded
with torch.no_grad():
    states = model(**encoded).last_hidden_state
    single = model(**tokenizer("안녕하세요", return_tensors="pt")).last_hidden_state
assert torch.isfinite(states).all() and single.shape[-1] == 32
