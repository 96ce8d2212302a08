"""A Korean classifier in a pipeline, with its own three labels."""

from transformers import pipeline

classifier = pipeline("text-classification", model="snunlp/KR-FinBert-SC")
news = ["많은 사람들이 공원을 찾습니다.", "오늘 날씨가 맑아서"]
answers = classifier(news)
for text, answer in zip(news, answers):
    assert answer["label"] in {"negative", "neutral", "positive"}
    assert abs(classifier(text)[0]["score"] - answer["score"]) < 1e-5
