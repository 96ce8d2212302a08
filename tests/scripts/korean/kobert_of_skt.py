"""KoBERT by its plain name, with no class of its own: every syllable stays whole."""

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("skt/kobert-base-v1")
model = AutoModel.from_pretrained("skt/kobert-base-v1")
encoded = tokenizer("한국어 모델을 공유합니다.", return_tensors="pt")
tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])
assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]"
assert tokenizer.unk_token not in tokens
assert "".join(tokens[1:-1]).replace("▁", "") == "한국어모델을공유합니다."
out = model(**encoded)
assert out.pooler_output.shape == (1, 32) and torch.isfinite(out.last_hidden_state).all()
