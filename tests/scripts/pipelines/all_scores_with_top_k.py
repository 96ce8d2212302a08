"""top_k=None gives every label, best first."""

from transformers import pipeline

classifier = pipeline("text-classification", model="nlptown/bert-base-multilingual-uncased-sentiment", top_k=None)
scores = classifier("The weather was good today")[0]

assert len(scores) == 5
assert {entry["label"] for entry in scores} == {"1 star", "2 stars", "3 stars", "4 stars", "5 stars"}
assert abs(sum(entry["score"] for entry in scores) - 1) < 1e-5
assert [entry["score"] for entry in scores] == sorted((entry["score"] for entry in scores), reverse=True)

best = classifier("The weather was good today", top_k=1)
assert best[0]["label"] == scores[0]["label"] if isinstance(best[0], dict) else best[0][0] == scores[0]
