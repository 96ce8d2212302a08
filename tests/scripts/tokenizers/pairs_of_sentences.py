"""Segments, and the ways of cutting a pair."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
question, context = "How old are you?", "I am twenty years old. " * 6
pair = tokenizer(question, context)
first, second = tokenizer(question)["input_ids"], tokenizer(context)["input_ids"]
assert pair["input_ids"] == first + second[1:]
assert pair["token_type_ids"] == [0] * len(first) + [1] * (len(second) - 1)
cut = tokenizer(question, context, truncation="only_second", max_length=20)
assert len(cut["input_ids"]) == 20 and cut["input_ids"][: len(first)] == first
roberta = AutoTokenizer.from_pretrained("roberta-base")
pair = roberta("Hello", "world")
a, b = roberta("Hello")["input_ids"], roberta("world")["input_ids"]
assert pair["input_ids"] == a + [roberta.sep_token_id] + b[1:]
