"""The first lines of every course: a sentence in, a label and a score out."""

from transformers import pipeline

classifier = pipeline("sentiment-analysis", model="distilbert-base-uncased-finetuned-sst-2-english")
result = classifier("We are very happy to show you the library.")
print(result)

assert isinstance(result, list) and len(result) == 1
assert result[0]["label"] in ("NEGATIVE", "POSITIVE")
assert 0.5 <= result[0]["score"] <= 1

batch = classifier(["I loved this movie!", "I hated this film."])
for text, answer in zip(["I loved this movie!", "I hated this film."], batch):
    alone = classifier(text)[0]
    assert alone["label"] == answer["label"] and abs(alone["score"] - answer["score"]) < 1e-5
