"""A pipeline saved whole, and opened by its folder."""

from transformers import pipeline

pipe = pipeline("text-classification", model="nlptown/bert-base-multilingual-uncased-sentiment")
pipe.save_pretrained("pipe")
again = pipeline("text-classification", model="pipe")
text = "Many people visit the city."
assert again(text) == pipe(text) and again.model.config.id2label[4] == "5 stars"
