"""A text longer than the model reads is cut when asked to be."""

from transformers import pipeline

pipe = pipeline("sentiment-analysis", model="distilbert-base-uncased-finetuned-sst-2-english")
long_text = "the movie was great and the music was boring " * 20
short = pipe.tokenizer.decode(
    pipe.tokenizer(long_text, truncation=True, max_length=128)["input_ids"], skip_special_tokens=True
)
cut = pipe(long_text, truncation=True, max_length=128)[0]
same = pipe(short)[0]
assert cut["label"] == same["label"] and abs(cut["score"] - same["score"]) < 1e-4
