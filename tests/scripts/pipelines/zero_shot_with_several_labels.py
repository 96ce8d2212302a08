"""multi_label: each label is judged by itself, so the scores need not add up to one."""

from transformers import pipeline

classifier = pipeline("zero-shot-classification", model="facebook/bart-large-mnli")
texts = ["The music was great.", "Hello world!"]
both = classifier(texts, candidate_labels="music, weather", multi_label=True, hypothesis_template="It is about {}.")
assert [answer["sequence"] for answer in both] == texts
for answer in both:
    assert set(answer["labels"]) == {"music", "weather"}
    alone = classifier(
        answer["sequence"], candidate_labels=["music"], multi_label=True, hypothesis_template="It is about {}."
    )
    score = answer["scores"][answer["labels"].index("music")]
    assert abs(alone["scores"][0] - score) < 1e-5
