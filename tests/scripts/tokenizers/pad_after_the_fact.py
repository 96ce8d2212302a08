"""tokenizer.pad joins rows that were encoded one by one."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("roberta-base")
rows = [tokenizer("Hello"), tokenizer("Once upon a time")]
batch = tokenizer.pad(rows, return_tensors="pt")
whole = tokenizer(["Hello", "Once upon a time"], padding=True, return_tensors="pt")
assert batch["input_ids"].equal(whole["input_ids"]) and batch["attention_mask"].equal(whole["attention_mask"])
assert (batch["input_ids"][0] == tokenizer.pad_token_id).sum() > 0
left = AutoTokenizer.from_pretrained("roberta-base", padding_side="left").pad(rows, padding="max_length", max_length=12)
assert all(len(row) == 12 for row in left["input_ids"]) and left["attention_mask"][0][0] == 0
