"""What is behind the pipeline: tokenizer, model, softmax, names of labels."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

checkpoint = "distilbert-base-uncased-finetuned-sst-2-english"
texts = ["I loved this movie, the music was great!", "It was boring."]
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
model = AutoModelForSequenceClassification.from_pretrained(checkpoint)
inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    logits = model(**inputs).logits
probabilities = torch.nn.functional.softmax(logits, dim=-1)

classifier = pipeline("text-classification", model=model, tokenizer=tokenizer)
for row, answer in zip(probabilities, classifier(texts)):
    assert answer["label"] == model.config.id2label[int(row.argmax())]
    assert abs(answer["score"] - float(row.max())) < 1e-5
