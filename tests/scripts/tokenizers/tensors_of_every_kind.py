"""Lists, torch and numpy; a BatchEncoding moves between devices."""

import numpy as np
from transformers import AutoTokenizer, BatchEncoding

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
texts = ["Hello world!", "A king"]
lists = tokenizer(texts, padding=True)
torches = tokenizer(texts, padding=True, return_tensors="pt")
arrays = tokenizer(texts, padding=True, return_tensors="np")
assert isinstance(lists["input_ids"], list) and isinstance(arrays["input_ids"], np.ndarray)
assert torches["input_ids"].tolist() == arrays["input_ids"].tolist() == lists["input_ids"]
moved = torches.to("cpu")
assert isinstance(moved, BatchEncoding) and moved.input_ids.device.type == "cpu"
assert {"input_ids", "attention_mask"} <= dict(**moved).keys()
assert moved.data["input_ids"] is moved["input_ids"]
