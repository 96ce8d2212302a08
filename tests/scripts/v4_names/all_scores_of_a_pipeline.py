"""return_all_scores=True, the name of top_k=None before 2022."""

from transformers import pipeline

name = "distilbert-base-uncased-finetuned-sst-2-english"
old = pipeline("sentiment-analysis", model=name, return_all_scores=True)
scores = old("I loved this movie")[0]
assert {entry["label"] for entry in scores} == {"NEGATIVE", "POSITIVE"}
assert abs(sum(entry["score"] for entry in scores) - 1) < 1e-5
new = pipeline("sentiment-analysis", model=name, top_k=None)("I loved this movie")
new = new[0] if isinstance(new[0], list) else new
assert sorted(new, key=lambda e: e["label"]) == sorted(scores, key=lambda e: e["label"])
