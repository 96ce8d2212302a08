"""KcBERT has vocab.txt alone, and keeps the case and the syllables of comments."""

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("beomi/kcbert-base", max_len=300)
model = AutoModelForMaskedLM.from_pretrained("beomi/kcbert-base")
text = "이 영화는 정말 최고예요"
tokens = tokenizer.tokenize(text)
assert "".join(token.replace("##", "") for token in tokens) == text.replace(" ", "")
masked = tokenizer(f"이 {tokenizer.mask_token} 정말 최고예요", return_tensors="pt")
place = (masked.input_ids[0] == tokenizer.mask_token_id).nonzero().item()
with torch.no_grad():
    probabilities = model(**masked).logits[0, place].softmax(-1)
assert probabilities.shape == (model.config.vocab_size,)
assert abs(float(probabilities.sum()) - 1) < 1e-4
