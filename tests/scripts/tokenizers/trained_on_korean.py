"""A tokenizer of one's own for Korean texts, byte by byte, then in a model of one's own."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

from tokenizers import ByteLevelBPETokenizer

with open("texts.txt", "w", encoding="utf-8") as file:
    file.write("오늘 날씨가 맑아서 나비가 꽃밭 위를 날아다닙니다.\n많은 사람들이 한강 공원을 찾습니다.\n" * 20)
trained = ByteLevelBPETokenizer()
trained.train(files="texts.txt", vocab_size=400, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False)
trained.save_model(".")
tokenizer = GPT2TokenizerFast.from_pretrained(".")
text = "나비가 한강 공원을"
ids = tokenizer(text)["input_ids"]
assert tokenizer.decode(ids) == text and len(ids) < len(text.encode())
model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=24, n_layer=1, n_head=2, n_positions=64))
with torch.no_grad():
    assert model(torch.tensor([ids])).logits.shape == (1, len(ids), len(tokenizer))
