"""as_target_tokenizer and prepare_seq2seq_batch, the ways to labels before text_target."""

from transformers import AutoTokenizer, MarianTokenizer

tokenizer = AutoTokenizer.from_pretrained("Helsinki-NLP/opus-mt-ko-en")
with tokenizer.as_target_tokenizer():
    old = tokenizer("Hello world")["input_ids"]
assert old == tokenizer(text_target="Hello world")["input_ids"]
marian = MarianTokenizer.from_pretrained("Helsinki-NLP/opus-mt-ko-en")
batch = marian.prepare_seq2seq_batch(src_texts=["안녕하세요"], tgt_texts=["Hello world"], return_tensors="pt")
assert batch["labels"][0].tolist() == old
assert batch["input_ids"][0].tolist() == marian("안녕하세요")["input_ids"]
