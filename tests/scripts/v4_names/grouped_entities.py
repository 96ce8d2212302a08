"""grouped_entities=True, before there were strategies of aggregation."""

from transformers import pipeline

text = "Minji works in Seoul"
old = pipeline("ner", model="dslim/bert-base-NER", grouped_entities=True)(text)
new = pipeline("ner", model="dslim/bert-base-NER", aggregation_strategy="simple")(text)
assert [(e["entity_group"], e["start"], e["end"]) for e in old] == [
    (e["entity_group"], e["start"], e["end"]) for e in new
]
assert all(text[e["start"] : e["end"]] == e["word"] for e in old if " " not in e["word"] and e["word"].isalpha())
