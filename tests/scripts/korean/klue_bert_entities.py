"""Labels per syllable, as KLUE's entities are marked, brought to tokens by offsets."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
text = "서울은 대한민국의 수도이고"
marks = ["O"] * len(text)
marks[0:2] = ["B-LC", "I-LC"]
marks[4:8] = ["B-LC", "I-LC", "I-LC", "I-LC"]
encoded = tokenizer(text, return_offsets_mapping=True)
labels = [marks[start] if end > start else None for start, end in encoded["offset_mapping"]]
assert labels[0] is None and labels[-1] is None
assert labels[1] == "B-LC" and "O" in labels
for (start, end), token in zip(encoded["offset_mapping"], encoded.tokens()):
    if end > start:
        assert text[start:end] == token.replace("##", "")
