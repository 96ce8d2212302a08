"""Reviews from a tab-separated file, in a Dataset class of one's own, batched and classified."""

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import AutoTokenizer, BertForSequenceClassification

lines = [
    "id\tdocument\tlabel",
    "1\t이 영화는 정말 최고예요!\t1",
    "2\t지루하고 시간이 아까웠어요.\t0",
    "3\t훌륭했습니다\t1",
]
with open("ratings.txt", "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")


class Nsmc(Dataset):
    def __init__(self, path, tokenizer):
        with open(path, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file][1:]
        self.texts, self.labels = [row[1] for row in rows], [int(row[2]) for row in rows]
        self.encodings = tokenizer(self.texts, truncation=True, padding="max_length", max_length=32)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        item = {key: torch.tensor(value[index]) for key, value in self.encodings.items()}
        item["labels"] = torch.tensor(self.labels[index])
        return item


tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
data = Nsmc("ratings.txt", tokenizer)
model = BertForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)
batch = next(iter(DataLoader(data, batch_size=3)))
assert batch["input_ids"].shape == (3, 32) and batch["labels"].tolist() == [1, 0, 1]
loss, logits = model(**batch)[:2]
assert torch.allclose(loss, torch.nn.functional.cross_entropy(logits, batch["labels"]), atol=1e-6)
