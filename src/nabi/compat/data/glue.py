"""The tasks of GLUE (arXiv:1804.07461): which columns of their files are texts and labels, and their features."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from .examples import DataProcessor, InputExample, InputFeatures


class OutputMode(Enum):
    classification = "classification"
    regression = "regression"


class _Glue(DataProcessor):
    """One task: columns of text_a, text_b and label in train.tsv and dev.tsv, and of text_a in test.tsv."""

    texts: ClassVar[tuple[int, ...]]
    label: ClassVar[int] = -1
    test_texts: ClassVar[tuple[int, ...]]
    labels: ClassVar[list[Any]] = ["0", "1"]
    files: ClassVar[dict[str, str]] = {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}
    heads: ClassVar[bool] = True  # whether the first row of train and dev names the columns
    names: ClassVar[dict[str, str]] = {}  # split -> what guids begin with, where it is another word
    columns: ClassVar[tuple[str, ...]] = ("sentence1", "sentence2")

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        return self._examples(data_dir, "train")

    def get_dev_examples(self, data_dir: str) -> list[InputExample]:
        return self._examples(data_dir, "dev")

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        return self._examples(data_dir, "test")

    def get_labels(self) -> list[Any]:
        return list(self.labels)

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        texts = [tensor_dict[name].numpy().decode("utf-8") for name in self.columns]
        return InputExample(tensor_dict["idx"].numpy(), *texts, label=str(tensor_dict["label"].numpy()))  # type: ignore[misc]

    def _examples(self, data_dir: str, split: str) -> list[InputExample]:
        rows = self._read_tsv(Path(data_dir) / self.files[split])
        columns = self.test_texts if split == "test" else self.texts
        made = []
        for number, row in enumerate(rows):
            if number == 0 and (self.heads or split == "test"):
                continue
            guid = f"{self.names.get(split, split)}-{number if not self.heads else self._id(row, number)}"
            texts = [row[column] for column in columns]
            made.append(InputExample(guid, *texts, label=None if split == "test" else row[self.label]))  # type: ignore[misc]
        return made

    def _id(self, row: list[str], number: int) -> str:
        return row[0]


class _Numbered(_Glue):
    """Guids are the numbers of rows."""

    def _id(self, row: list[str], number: int) -> str:
        return str(number)


class MrpcProcessor(_Numbered):
    texts, label, test_texts = (3, 4), 0, (3, 4)


class MnliProcessor(_Glue):
    texts, test_texts = (8, 9), (8, 9)
    labels: ClassVar[list[Any]] = ["contradiction", "entailment", "neutral"]
    files: ClassVar[dict[str, str]] = {"train": "train.tsv", "dev": "dev_matched.tsv", "test": "test_matched.tsv"}
    names: ClassVar[dict[str, str]] = {"dev": "dev_matched", "test": "test_matched"}
    columns = ("premise", "hypothesis")


class MnliMismatchedProcessor(MnliProcessor):
    files: ClassVar[dict[str, str]] = {"train": "train.tsv", "dev": "dev_mismatched.tsv", "test": "test_mismatched.tsv"}
    names: ClassVar[dict[str, str]] = {"dev": "dev_mismatched", "test": "test_mismatched"}


class ColaProcessor(_Numbered):
    texts, label, test_texts = (3,), 1, (1,)
    heads = False
    columns = ("sentence",)


class Sst2Processor(_Numbered):
    texts, label, test_texts = (0,), 1, (1,)
    columns = ("sentence",)


class StsbProcessor(_Glue):
    texts, test_texts = (7, 8), (7, 8)
    labels: ClassVar[list[Any]] = [None]


class QqpProcessor(_Glue):
    texts, label, test_texts = (3, 4), 5, (1, 2)
    columns = ("question1", "question2")


class QnliProcessor(_Glue):
    texts, test_texts = (1, 2), (1, 2)
    labels: ClassVar[list[Any]] = ["entailment", "not_entailment"]
    columns = ("question", "sentence")


class RteProcessor(_Glue):
    texts, test_texts = (1, 2), (1, 2)
    labels: ClassVar[list[Any]] = ["entailment", "not_entailment"]


class WnliProcessor(_Glue):
    texts, test_texts = (1, 2), (1, 2)


glue_processors: dict[str, type[_Glue]] = {
    "cola": ColaProcessor,
    "mnli": MnliProcessor,
    "mnli-mm": MnliMismatchedProcessor,
    "mrpc": MrpcProcessor,
    "sst-2": Sst2Processor,
    "sts-b": StsbProcessor,
    "qqp": QqpProcessor,
    "qnli": QnliProcessor,
    "rte": RteProcessor,
    "wnli": WnliProcessor,
}
glue_output_modes = {name: "regression" if name == "sts-b" else "classification" for name in glue_processors}
glue_tasks_num_labels = {name: len(kind.labels) for name, kind in glue_processors.items() if name != "mnli-mm"}


def glue_convert_examples_to_features(
    examples: list[InputExample],
    tokenizer: Any,
    max_length: int | None = None,
    task: str | None = None,
    label_list: list[Any] | None = None,
    output_mode: str | OutputMode | None = None,
) -> list[InputFeatures]:
    """Examples as ids padded to max_length, labels as numbers; the task says the labels where they are left out."""
    if task is not None:
        label_list = glue_processors[task]().get_labels() if label_list is None else label_list
        output_mode = output_mode or glue_output_modes[task]
    mode = output_mode.value if isinstance(output_mode, OutputMode) else output_mode
    numbers = {name: number for number, name in enumerate(label_list or [])}
    batch = tokenizer(
        [example.text_a for example in examples],
        None if examples[0].text_b is None else [example.text_b for example in examples],
        max_length=max_length or tokenizer.model_max_length,
        padding="max_length",
        truncation=True,
    )
    features = []
    for row, example in enumerate(examples):
        label = (
            None if example.label is None else float(example.label) if mode == "regression" else numbers[example.label]
        )
        features.append(InputFeatures(**{name: values[row] for name, values in batch.items()}, label=label))
    return features


# --- XNLI (arXiv:1809.05053) ---------------------------------------------------------------------------------------


class XnliProcessor(DataProcessor):
    """language: of the examples; train_language: of those of the training, where it is another."""

    def __init__(self, language: str, train_language: str | None = None) -> None:
        self.language, self.train_language = language, train_language

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        language = self.train_language or self.language
        rows = self._read_tsv(Path(data_dir) / f"XNLI-MT-1.0/multinli/multinli.train.{language}.tsv")[1:]
        labels = {"contradictory": "contradiction"}
        return [
            InputExample(f"train-{number}", row[0], row[1], labels.get(row[2], row[2]))
            for number, row in enumerate(rows, 1)
        ]

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        rows = self._read_tsv(Path(data_dir) / "XNLI-1.0/xnli.test.tsv")
        chosen = [(number, row) for number, row in enumerate(rows) if number and row[0] == self.language]
        return [InputExample(f"test-{number}", row[6], row[7], row[1]) for number, row in chosen]

    def get_labels(self) -> list[str]:
        return ["contradiction", "entailment", "neutral"]


xnli_processors = {"xnli": XnliProcessor}
xnli_output_modes = {"xnli": "classification"}
xnli_tasks_num_labels = {"xnli": 3}
