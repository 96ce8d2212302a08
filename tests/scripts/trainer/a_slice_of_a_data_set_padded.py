"""The course's third chapter: a few rows of a data set, as a dict of columns, go to the collator."""

from datasets import Dataset
from transformers import AutoTokenizer, DataCollatorWithPadding

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
rows = Dataset.from_dict({"text": ["I loved this movie", "dull", "a king"], "label": [1, 0, 1]})
rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True), batched=True)
samples = {name: column for name, column in rows[:3].items() if name != "text"}
batch = DataCollatorWithPadding(tokenizer=tokenizer)(samples)
longest = max(map(len, samples["input_ids"]))
assert {name: tuple(value.shape) for name, value in batch.items()} == {
    **dict.fromkeys(["input_ids", "token_type_ids", "attention_mask"], (3, longest)),
    "labels": (3,),
}
assert batch["attention_mask"].sum(1).tolist() == [len(ids) for ids in samples["input_ids"]]
