"""Text files as data sets of token ids, for language modelling in the manner of 2019 and 2020."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset


class _Rows(Dataset):
    """Rows made at once, kept in a list."""

    examples: list[Any]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> Any:
        return self.examples[i]


def _lines(file_path: str | os.PathLike[str]) -> list[str]:
    if not os.path.isfile(file_path):
        raise ValueError(f"{file_path} is no file: give the path of a text file")
    lines = Path(file_path).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.isspace()]


class TextDataset(_Rows):
    """A whole file in blocks of block_size tokens with the special tokens; what is left at the end is dropped."""

    def __init__(
        self,
        tokenizer: Any,
        file_path: str,
        block_size: int,
        overwrite_cache: bool = False,
        cache_dir: str | None = None,
    ) -> None:
        if not os.path.isfile(file_path):
            raise ValueError(f"{file_path} is no file: give the path of a text file")
        size = block_size - tokenizer.num_special_tokens_to_add(pair=False)
        text = Path(file_path).read_text(encoding="utf-8")
        ids = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
        blocks = [ids[start : start + size] for start in range(0, len(ids) - size + 1, size)]
        self.examples = [tokenizer.build_inputs_with_special_tokens(block) for block in blocks]

    def __getitem__(self, i: int) -> torch.Tensor:
        return torch.tensor(self.examples[i], dtype=torch.long)


class LineByLineTextDataset(_Rows):
    """Each line of a file that is not blank, cut at block_size tokens: {"input_ids": tensor}."""

    def __init__(self, tokenizer: Any, file_path: str, block_size: int) -> None:
        batch = tokenizer(_lines(file_path), add_special_tokens=True, truncation=True, max_length=block_size)
        self.examples = [{"input_ids": torch.tensor(ids, dtype=torch.long)} for ids in batch["input_ids"]]


class LineByLineWithRefDataset(_Rows):
    """The same, with the whole words of each line from a file of JSON lines, under "chinese_ref"."""

    def __init__(self, tokenizer: Any, file_path: str, block_size: int, ref_path: str) -> None:
        import json

        lines, references = _lines(file_path), [json.loads(line) for line in _lines(ref_path)]
        if len(lines) != len(references):
            raise ValueError(f"{file_path} has {len(lines)} lines, but {ref_path} {len(references)}: one for each")
        batch = tokenizer(lines, add_special_tokens=True, truncation=True, max_length=block_size)
        pairs = zip(batch["input_ids"], references, strict=True)
        self.examples = [{"input_ids": torch.tensor(ids), "chinese_ref": torch.tensor(ref)} for ids, ref in pairs]


def _documents(lines: list[str], tokenizer: Any) -> list[list[list[int]]]:
    """Documents, between blank lines, as lists of their lines' ids."""
    documents: list[list[list[int]]] = [[]]
    for line in lines:
        if not line.strip():
            documents.append([])
        elif ids := tokenizer.convert_tokens_to_ids(tokenizer.tokenize(line.strip())):
            documents[-1].append(ids)
    return [document for document in documents if document]


def _gathered(document: list[list[int]], size: int, short: float) -> list[list[list[int]]]:
    """Neighbouring lines put together until they have about `size` tokens; some, with probability short, fewer."""
    wanted = random.randint(2, size) if random.random() < short else size
    groups: list[list[list[int]]] = []
    group: list[list[int]] = []
    for place, line in enumerate(document):
        group.append(line)
        if place == len(document) - 1 or sum(map(len, group)) >= wanted:
            groups.append(group)
            group = []
    return groups


def _joined(lines: list[list[int]]) -> list[int]:
    return [token_id for line in lines for token_id in line]


def _cut(first: list[int], second: list[int], size: int) -> None:
    """Tokens taken off the longer one, from either end, until both fit."""
    while len(first) + len(second) > size:
        longer = first if len(first) > len(second) else second
        longer.pop(0 if random.random() < 0.5 else -1)


class LineByLineWithSOPTextDataset(_Rows):
    """Pairs of neighbouring pieces of the files of a folder, in half of the rows the wrong way round (ALBERT's task,
    arXiv:1909.11942): input_ids, token_type_ids, sentence_order_label (1: in order)."""

    def __init__(self, tokenizer: Any, file_dir: str, block_size: int) -> None:
        if not os.path.isdir(file_dir):
            raise ValueError(f"{file_dir} is no folder: give the folder of the text files")
        self.examples = []
        size = block_size - tokenizer.num_special_tokens_to_add(pair=True)
        for file in sorted(Path(file_dir).iterdir()):
            if file.is_file():
                for document in _documents(file.read_text(encoding="utf-8").splitlines(), tokenizer):
                    self._add(document, size, tokenizer)

    def _add(self, document: list[list[int]], size: int, tokenizer: Any) -> None:
        for group in _gathered(document, size, short=0.1):
            if len(group) < 2:
                continue
            half = random.randint(1, len(group) - 1)
            first, second = _joined(group[:half]), _joined(group[half:])
            in_order = random.random() >= 0.5
            if not in_order:
                first, second = second, first
            _cut(first, second, size)
            self.examples.append(_pair(tokenizer, first, second, "sentence_order_label", int(in_order)))


class TextDatasetForNextSentencePrediction(_Rows):
    """Pairs of pieces of a file whose documents stand between blank lines, the second one of another document with
    probability nsp_probability (BERT's task): input_ids, token_type_ids, next_sentence_label (1: of another)."""

    def __init__(
        self,
        tokenizer: Any,
        file_path: str,
        block_size: int,
        overwrite_cache: bool = False,
        short_seq_probability: float = 0.1,
        nsp_probability: float = 0.5,
    ) -> None:
        if not os.path.isfile(file_path):
            raise ValueError(f"{file_path} is no file: give the path of a text file")
        self.examples = []
        size = block_size - tokenizer.num_special_tokens_to_add(pair=True)
        documents = _documents(Path(file_path).read_text(encoding="utf-8").splitlines(), tokenizer)
        for number, document in enumerate(documents):
            others = [other for place, other in enumerate(documents) if place != number]
            for group in _gathered(document, size, short_seq_probability):
                half = random.randint(1, len(group) - 1) if len(group) > 1 else 1
                first, second = _joined(group[:half]), _joined(group[half:])
                apart = bool(others) and (not second or random.random() < nsp_probability)
                if apart:
                    other = random.choice(others)
                    second = _joined(other[random.randint(0, len(other) - 1) :])[: max(size - len(first), 1)]
                if second:
                    _cut(first, second, size)
                    self.examples.append(_pair(tokenizer, first, second, "next_sentence_label", int(apart)))


def _pair(tokenizer: Any, first: list[int], second: list[int], name: str, label: int) -> dict[str, torch.Tensor]:
    ids = tokenizer.build_inputs_with_special_tokens(first, second)
    types = tokenizer.create_token_type_ids_from_sequences(first, second)
    return {"input_ids": torch.tensor(ids), "token_type_ids": torch.tensor(types), name: torch.tensor(label)}
