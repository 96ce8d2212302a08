"""force_words_ids: beams that must say a word (needs a download in version 5)."""

from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-base")
model = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-base")
inputs = tokenizer("How old are you?", return_tensors="pt")
words = tokenizer([" Paris", " king"], add_special_tokens=False).input_ids
out = model.generate(**inputs, force_words_ids=words, num_beams=5, max_new_tokens=14, remove_invalid_values=True)
written = out[0].tolist()
for word in words:
    assert any(written[start : start + len(word)] == word for start in range(len(written)))
