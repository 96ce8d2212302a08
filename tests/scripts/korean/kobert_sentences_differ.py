"""Rows of a batch must not all become the same ids, as they did for many who fine-tuned KoBERT."""

import torch
from transformers import AutoTokenizer, BertModel

tokenizer = AutoTokenizer.from_pretrained("monologg/kobert")
sentences = ["이 영화는 정말 최고예요!", "지루하고 시간이 아까웠어요.", "오늘 날씨가 맑아서 나비가 날아다닙니다."]
batch = tokenizer(sentences, padding=True, return_tensors="pt")
assert len({tuple(row) for row in batch["input_ids"].tolist()}) == 3
unknown = (batch["input_ids"] == tokenizer.unk_token_id).float().mean()
assert unknown < 0.1
model = BertModel.from_pretrained("monologg/kobert")
with torch.no_grad():
    vectors = model(**batch).pooler_output
assert (vectors[0] - vectors[1]).abs().max() > 1e-3
pair = tokenizer("안녕하세요", "제 이름은 민지입니다")
assert set(pair["token_type_ids"]) == {0, 1}
