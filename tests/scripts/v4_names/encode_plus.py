"""encode_plus and batch_encode_plus with pad_to_max_length, as in 2020."""

from transformers import BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased", do_lower_case=True)
encoded = tokenizer.encode_plus(
    "The weather was good today.",
    add_special_tokens=True,
    max_length=16,
    pad_to_max_length=True,
    truncation=True,
    return_attention_mask=True,
    return_tensors="pt",
)
assert encoded["input_ids"].shape == (1, 16) and encoded["attention_mask"].shape == (1, 16)
assert encoded["input_ids"][0, -1] == tokenizer.pad_token_id and encoded["attention_mask"][0, -1] == 0
new = tokenizer(
    "The weather was good today.", max_length=16, padding="max_length", truncation=True, return_tensors="pt"
)
assert encoded["input_ids"].equal(new["input_ids"])
batch = tokenizer.batch_encode_plus([("Hello", "world"), ("How old", "are you?")], padding=True)
assert batch["input_ids"][1] == tokenizer("How old", "are you?")["input_ids"]
