"""Token labels, joined to entities with their places in the text."""

from transformers import pipeline

text = "My name is Minji and I work in Seoul."
ner = pipeline("ner", model="dslim/bert-base-NER")
for entity in ner(text):
    assert entity["entity"] in ner.model.config.label2id
    assert text[entity["start"] : entity["end"]] == entity["word"].replace("##", "")

grouped = pipeline("ner", model="dslim/bert-base-NER", aggregation_strategy="simple")
for group in grouped(text):
    assert group["entity_group"] in {"MISC", "PER", "ORG", "LOC"}
    assert text[group["start"] : group["end"]].replace(" ", "") == group["word"].replace(" ", "")
    assert 0 < group["score"] <= 1
