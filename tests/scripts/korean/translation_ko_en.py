"""Opus-MT from Korean, in a batch, with and without its pipeline."""

from transformers import MarianMTModel, MarianTokenizer

tokenizer = MarianTokenizer.from_pretrained("Helsinki-NLP/opus-mt-ko-en")
model = MarianMTModel.from_pretrained("Helsinki-NLP/opus-mt-ko-en")
sentences = ["안녕하세요, 제 이름은 민지입니다.", "서울은 대한민국의 수도입니다."]
batch = tokenizer(sentences, return_tensors="pt", padding=True)
assert tokenizer.decode(batch["input_ids"][0], skip_special_tokens=True) == sentences[0]
translated = model.generate(**batch, num_beams=3, max_new_tokens=12)
texts = tokenizer.batch_decode(translated, skip_special_tokens=True)
assert len(texts) == 2
alone = model.generate(**tokenizer(sentences[1:], return_tensors="pt"), num_beams=3, max_new_tokens=12)
assert tokenizer.decode(alone[0], skip_special_tokens=True) == texts[1]
