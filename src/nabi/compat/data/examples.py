"""One example of a classification, its features for a model, and the reader of a folder of them."""

from __future__ import annotations

import csv
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class InputExample:
    """A text, or two, and its label."""

    guid: str
    text_a: str
    text_b: str | None = None
    label: str | None = None

    def to_json_string(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


@dataclass
class InputFeatures:
    """What a model takes, as lists; label a class or a number."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label: int | float | None = None

    def to_json_string(self) -> str:
        return json.dumps(dataclasses.asdict(self)) + "\n"


class DataProcessor:
    """Reads the examples of a folder; a subclass says from which files, and the labels."""

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        raise NotImplementedError(f"{type(self).__name__} reads no rows of tensors")

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        raise NotImplementedError(f"{type(self).__name__} has no training examples")

    def get_dev_examples(self, data_dir: str) -> list[InputExample]:
        raise NotImplementedError(f"{type(self).__name__} has no examples for development")

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        raise NotImplementedError(f"{type(self).__name__} has no test examples")

    def get_labels(self) -> list[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no labels")

    def tfds_map(self, example: InputExample) -> InputExample:
        """Labels that are numbers become their names."""
        if len(self.get_labels()) > 1:
            example.label = self.get_labels()[int(example.label or 0)]
        return example

    @classmethod
    def _read_tsv(cls, input_file: str | Path, quotechar: str | None = None) -> list[list[str]]:
        """The rows of a file whose columns stand between tabs."""
        with open(input_file, encoding="utf-8-sig", newline="") as file:
            quoting = csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE
            return list(csv.reader(file, delimiter="\t", quotechar=quotechar, quoting=quoting))  # type: ignore[arg-type]


class SingleSentenceClassificationProcessor(DataProcessor):
    """Texts with a label each, from lists or a file with tabs."""

    def __init__(
        self,
        labels: list[str] | None = None,
        examples: list[InputExample] | None = None,
        mode: str = "classification",
        verbose: bool = False,
    ) -> None:
        self.labels: list[Any] = list(labels or [])
        self.examples = list(examples or [])
        self.mode, self.verbose = mode, verbose

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return type(self)(labels=self.labels, examples=self.examples[place])
        return self.examples[place]

    @classmethod
    def create_from_csv(
        cls,
        file_name: str,
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        **options: Any,
    ) -> Any:
        made = cls(**options)
        made.add_examples_from_csv(file_name, split_name, column_label, column_text, column_id, skip_first_row, True)
        return made

    @classmethod
    def create_from_examples(
        cls, texts_or_text_and_labels: list[Any], labels: list[Any] | None = None, **options: Any
    ) -> Any:
        made = cls(**options)
        made.add_examples(texts_or_text_and_labels, labels=labels)
        return made

    def add_examples_from_csv(
        self,
        file_name: str,
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        rows = self._read_tsv(file_name)[int(skip_first_row) :]
        before = f"{split_name}-" if split_name else ""
        ids = [f"{before}{number}" if column_id is None else row[column_id] for number, row in enumerate(rows)]
        texts, labels = [row[column_text] for row in rows], [row[column_label] for row in rows]
        return self.add_examples(texts, labels, ids, overwrite_labels, overwrite_examples)

    def add_examples(
        self,
        texts_or_text_and_labels: list[Any],
        labels: list[Any] | None = None,
        ids: list[str] | None = None,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        """Texts with labels beside them, or pairs (text, label). Raises ValueError if the counts differ."""
        count = len(texts_or_text_and_labels)
        for name, given in (("labels", labels), ("ids", ids)):
            if given is not None and len(given) != count:
                raise ValueError(f"{count} texts, but {len(given)} {name}: give one for each")
        made = []
        for number, item in enumerate(texts_or_text_and_labels):
            pair = isinstance(item, (tuple, list)) and labels is None
            text, label = item if pair else (item, labels[number] if labels is not None else None)
            made.append(InputExample(guid=str(ids[number] if ids else number), text_a=text, label=label))
        self.examples = made if overwrite_examples else self.examples + made
        found = {example.label for example in made}
        self.labels = list(found) if overwrite_labels else list({*self.labels, *found})
        return self.examples

    def get_features(
        self,
        tokenizer: Any,
        max_length: int | None = None,
        pad_on_left: bool = False,
        pad_token: int = 0,
        mask_padding_with_zero: bool = True,
        return_tensors: str | None = None,
    ) -> Any:
        """InputFeatures, padded to the longest text; as a torch data set with return_tensors="pt"."""
        max_length = max_length or tokenizer.max_len_single_sentence
        rows = [tokenizer.encode(example.text_a, truncation=True, max_length=max_length) for example in self.examples]
        longest = max(map(len, rows))
        names = {label: number for number, label in enumerate(self.labels)}
        features = []
        for example, ids in zip(self.examples, rows, strict=True):
            missing = longest - len(ids)
            mask, rest = [int(mask_padding_with_zero)] * len(ids), [int(not mask_padding_with_zero)] * missing
            padding = [pad_token] * missing
            label = names[example.label] if self.mode == "classification" else float(example.label or 0)
            features.append(
                InputFeatures(
                    padding + ids if pad_on_left else ids + padding,
                    rest + mask if pad_on_left else mask + rest,
                    label=label,
                )
            )
        return features if return_tensors is None else _as_tensors(features)


def _as_tensors(features: list[InputFeatures]) -> Any:
    import torch
    from torch.utils.data import TensorDataset

    columns = ("input_ids", "attention_mask", "label")
    return TensorDataset(*(torch.tensor([getattr(row, name) for row in features]) for name in columns))
