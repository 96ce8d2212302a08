"""LineByLineTextDataset for a language model of one's own, as in 2020."""

from transformers import AutoTokenizer, DataCollatorForLanguageModeling, LineByLineTextDataset

with open("lines.txt", "w", encoding="utf-8") as file:
    file.write("Once upon a time there was a king.\n\nHe had three daughters.\n")
tokenizer = AutoTokenizer.from_pretrained("roberta-base")
dataset = LineByLineTextDataset(tokenizer=tokenizer, file_path="lines.txt", block_size=16)
assert len(dataset) == 2
assert tokenizer.decode(dataset[1]["input_ids"], skip_special_tokens=True) == "He had three daughters."
batch = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm=True, mlm_probability=0.15)([dataset[0], dataset[1]])
assert batch["input_ids"].shape == batch["labels"].shape and batch["input_ids"].shape[0] == 2
