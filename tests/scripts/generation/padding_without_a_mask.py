"""Ids alone, padded, go to an encoder: generate sees the padding."""

from transformers import T5ForConditionalGeneration, T5Tokenizer

tokenizer = T5Tokenizer.from_pretrained("t5-small")
model = T5ForConditionalGeneration.from_pretrained("t5-small")
batch = tokenizer(["summarize: the weather was good", "a king"], padding=True, return_tensors="pt")
bare = model.generate(batch.input_ids, num_beams=4, min_length=5, max_length=10)
masked = model.generate(batch.input_ids, attention_mask=batch.attention_mask, num_beams=4, min_length=5, max_length=10)
assert bare.tolist() == masked.tolist()
labels = tokenizer("the house", return_tensors="pt").input_ids
assert model._shift_right(labels).tolist() == [[0, *labels[0, :-1].tolist()]]
