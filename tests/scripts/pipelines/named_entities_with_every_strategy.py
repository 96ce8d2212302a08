"""What the strategies of aggregation have in common: groups do not overlap, and words stay whole for three of them."""

from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

model = AutoModelForTokenClassification.from_pretrained("dslim/bert-base-NER")
tokenizer = AutoTokenizer.from_pretrained("dslim/bert-base-NER")
text = "Minji visited Paris, the capital of France."
for strategy in ("simple", "first", "average", "max"):
    pipe = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy=strategy)
    groups = pipe(text)
    ends = 0
    for group in groups:
        assert group["start"] >= ends
        ends = group["end"]
        if strategy != "simple":
            for place in (group["start"], group["end"]):
                assert not text[max(0, place - 1) : place + 1].isalpha() or place in (0, len(text))
