"""The first token of a translation, forced, and the shortest length allowed."""

from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-base")
model = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-base")
inputs = tokenizer("My name is Minji", return_tensors="pt")
word = tokenizer(" Paris", add_special_tokens=False)["input_ids"][0]
ids = model.generate(**inputs, forced_bos_token_id=word, num_beams=2, max_new_tokens=8, min_new_tokens=8)
assert ids[0, 1] == word
assert ids.shape[1] == 9 and tokenizer.eos_token_id not in ids[0, 1:-1].tolist()
start = model.generate(**inputs, decoder_input_ids=ids[:, :3], max_new_tokens=4, num_beams=1, do_sample=False)
assert start[0, :3].tolist() == ids[0, :3].tolist()
