"""KoELECTRA learns NSMC's two labels: a few steps on a few reviews."""

import torch
from transformers import ElectraForSequenceClassification, ElectraTokenizer

tokenizer = ElectraTokenizer.from_pretrained("monologg/koelectra-base-v3-discriminator")
model = ElectraForSequenceClassification.from_pretrained("monologg/koelectra-base-v3-discriminator", num_labels=2)
reviews = [
    "이 영화는 정말 최고예요!",
    "지루하고 시간이 아까웠어요.",
    "배우들의 연기가 훌륭했습니다.",
    "다시는 보고 싶지 않은 영화네요.",
]
labels = torch.tensor([1, 0, 1, 0])
batch = tokenizer(reviews, padding=True, truncation=True, max_length=64, return_tensors="pt")
assert (batch["input_ids"] == tokenizer.unk_token_id).sum() == 0
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
model.train()
for _ in range(80):
    loss = model(**batch, labels=labels).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
model.eval()
with torch.no_grad():
    assert model(**batch).logits.argmax(-1).tolist() == labels.tolist()
