"""train_new_from_iterator: the same kind of tokenizer for other texts."""

from transformers import AutoTokenizer

old = AutoTokenizer.from_pretrained("gpt2")
code = ["def add(first, second):", "    return first + second", "for number in range(10):", "    print(number)"] * 20


def batches():
    for start in range(0, len(code), 10):
        yield code[start : start + 10]


new = old.train_new_from_iterator(batches(), 400)
text = "def add(number): return number"
assert len(new(text)["input_ids"]) < len(old(text)["input_ids"])
assert new.decode(new(text)["input_ids"]) == text
assert new.eos_token == old.eos_token and len(new) <= 400
new.save_pretrained("code-tokenizer")
assert AutoTokenizer.from_pretrained("code-tokenizer")(text)["input_ids"] == new(text)["input_ids"]
