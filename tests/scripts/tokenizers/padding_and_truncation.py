"""Every combination that a course shows, by the lengths that come out."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
texts = ["Hello world!", "Once upon a time, in a land far away, there was a king who had three daughters."]
plain = tokenizer(texts)["input_ids"]
longest = max(map(len, plain))
lengths = lambda **options: [len(row) for row in tokenizer(texts, **options)["input_ids"]]
assert lengths(padding=True) == lengths(padding="longest") == [longest, longest]
assert lengths(padding="max_length", max_length=40) == [40, 40]
assert lengths(truncation=True, max_length=8) == [len(plain[0]), 8]
assert lengths(padding=True, truncation=True, max_length=8) == [8, 8]
assert lengths(padding=True, pad_to_multiple_of=8) == [(longest + 7) // 8 * 8] * 2
batch = tokenizer(texts, padding=True)
assert [sum(mask) for mask in batch["attention_mask"]] == list(map(len, plain))
assert batch["input_ids"][0][len(plain[0]) :] == [tokenizer.pad_token_id] * (longest - len(plain[0]))
cut = tokenizer(texts[1], truncation=True, max_length=8)["input_ids"]
assert cut == plain[1][:7] + [tokenizer.sep_token_id]
