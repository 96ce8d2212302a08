"""framework="pt" and the class of a task, imported by name."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline, pipeline

name = "distilbert-base-uncased-finetuned-sst-2-english"
model, tokenizer = AutoModelForSequenceClassification.from_pretrained(name), AutoTokenizer.from_pretrained(name)
by_name = pipeline("sentiment-analysis", model=model, tokenizer=tokenizer, framework="pt")
by_class = TextClassificationPipeline(model=model, tokenizer=tokenizer)
assert isinstance(by_name, TextClassificationPipeline)
assert by_name("so boring") == by_class("so boring")
