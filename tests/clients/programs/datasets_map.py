"""datasets: .map with a tokenizer, in one process and two, cached by the tokenizer's fingerprint; tensors."""

from answer import answer
from datasets import Dataset
from datasets.fingerprint import Hasher
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, DataCollatorWithPadding

TEXTS = ["이 영화는 정말 최고예요!", "지루하고 시간이 아까웠어요.", "Hello world! 안녕하세요.", "", "나비 🦋 butterfly"]

tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
dataset = Dataset.from_dict({"text": TEXTS, "label": [1, 0, 1, 0, 1]})


def tokenize(examples):
    return tokenizer(examples["text"], truncation=True, max_length=16)


before = Hasher.hash(tokenizer)
mapped = dataset.map(tokenize, batched=True)
tokenizer(TEXTS[:2], padding="max_length", truncation=True, max_length=8)  # leaves the tokenizer as it was
again = dataset.map(tokenize, batched=True)
tokenizer.add_tokens(["훌륭"])

two_processes = dataset.map(tokenize, batched=True, num_proc=2)
pairs = dataset.map(lambda row: tokenizer(row["text"], "비교", return_offsets_mapping=True))
torch_rows = mapped.with_format("torch", columns=["input_ids", "attention_mask", "label"])
loader = DataLoader(torch_rows, batch_size=2, collate_fn=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8))
batches = [{name: values for name, values in batch.items()} for batch in loader]

answer(
    columns=mapped.column_names,
    ids=mapped["input_ids"][:],
    **{"a run again has the same fingerprint": mapped._fingerprint == again._fingerprint},
    **{"the tokenizer's hash stays": before == Hasher.hash(AutoTokenizer.from_pretrained("klue/bert-base"))},
    **{"another vocabulary has another hash": before != Hasher.hash(tokenizer)},
    two_processes=two_processes["input_ids"][:],
    offsets=pairs["offset_mapping"][:],
    types=pairs["token_type_ids"][:],
    batches=batches,
    iterable=[row["input_ids"] for row in dataset.to_iterable_dataset().map(tokenize, batched=True)],
)
