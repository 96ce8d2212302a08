"""A summary is what generate writes with the lengths asked for (the task left version 5)."""

from transformers import pipeline

summarizer = pipeline("summarization", model="facebook/bart-large-cnn")
article = (
    "Paris is the capital of France, and many people visit the city every summer. The weather was good today. "
    "Once upon a time, in a land far away, there was a king who had three daughters."
)
summary = summarizer(article, max_length=20, min_length=5, do_sample=False)
print(summary)
assert list(summary[0]) == ["summary_text"]

inputs = summarizer.tokenizer(article, return_tensors="pt", truncation=True)
ids = summarizer.model.generate(**inputs, max_length=20, min_length=5, do_sample=False)
assert 5 <= len(ids[0]) <= 20
assert summarizer.tokenizer.decode(ids[0], skip_special_tokens=True) == summary[0]["summary_text"]
