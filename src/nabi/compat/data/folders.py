"""GLUE's and SQuAD's folders as torch data sets, with their settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch
from torch.utils.data import Dataset

from .examples import InputFeatures
from .glue import glue_convert_examples_to_features, glue_processors
from .squad import SquadFeatures, SquadV1Processor, SquadV2Processor, squad_convert_examples_to_features


class Split(Enum):
    train = "train"
    dev = "dev"
    test = "test"


@dataclass
class GlueDataTrainingArguments:
    """Where a GLUE task's files are, and how long texts may be."""

    task_name: str = field(metadata={"help": f"The task: {', '.join(glue_processors)}"})
    data_dir: str = field(metadata={"help": "The folder with its .tsv files"})
    max_seq_length: int = field(default=128, metadata={"help": "Longer texts are cut, shorter ones padded"})
    overwrite_cache: bool = field(default=False, metadata={"help": "No effect: nothing is cached"})

    def __post_init__(self) -> None:
        self.task_name = self.task_name.lower()


class GlueDataset(Dataset):
    """The examples of one split as InputFeatures."""

    def __init__(
        self,
        args: GlueDataTrainingArguments,
        tokenizer: Any,
        limit_length: int | None = None,
        mode: str | Split = Split.train,
        cache_dir: str | None = None,
    ) -> None:
        processor = glue_processors[args.task_name]()
        split = mode if isinstance(mode, Split) else Split(mode)
        examples = getattr(processor, f"get_{split.value}_examples")(args.data_dir)[:limit_length]
        self.args, self.processor, self.label_list = args, processor, processor.get_labels()
        self.features = glue_convert_examples_to_features(examples, tokenizer, args.max_seq_length, args.task_name)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, i: int) -> InputFeatures:
        return self.features[i]

    def get_labels(self) -> list[Any]:
        return self.label_list


@dataclass
class SquadDataTrainingArguments:
    """Where SQuAD's files are, and how its texts are cut into windows."""

    model_type: str | None = field(default=None, metadata={"help": "The family of the model"})
    data_dir: str | None = field(default=None, metadata={"help": "The folder with the .json files"})
    max_seq_length: int = field(default=128, metadata={"help": "Tokens of a window"})
    doc_stride: int = field(default=128, metadata={"help": "Tokens from one window's start to the next"})
    max_query_length: int = field(default=64, metadata={"help": "Longer questions are cut"})
    max_answer_length: int = field(default=30, metadata={"help": "Tokens of an answer"})
    overwrite_cache: bool = field(default=False, metadata={"help": "No effect: nothing is cached"})
    version_2_with_negative: bool = field(default=False, metadata={"help": "SQuAD 2: some questions have no answer"})
    null_score_diff_threshold: float = field(default=0.0, metadata={"help": "From where no answer is the answer"})
    n_best_size: int = field(default=20, metadata={"help": "Answers to write down for a question"})
    lang_id: int = field(default=0, metadata={"help": "The language of the texts, for XLM"})
    threads: int = field(default=1, metadata={"help": "No effect"})


class SquadDataset(Dataset):
    """The windows of one split: dictionaries of tensors, with positions of answers in the training split."""

    def __init__(
        self,
        args: SquadDataTrainingArguments,
        tokenizer: Any,
        limit_length: int | None = None,
        mode: str | Split = Split.train,
        is_language_sensitive: bool = False,
        cache_dir: str | None = None,
        dataset_format: str = "pt",
    ) -> None:
        processor = (SquadV2Processor if args.version_2_with_negative else SquadV1Processor)()
        self.args, self.mode = args, mode if isinstance(mode, Split) else Split(mode)
        read = processor.get_train_examples if self.mode is Split.train else processor.get_dev_examples
        self.examples = read(args.data_dir or ".")[:limit_length]
        sizes = (args.max_seq_length, args.doc_stride, args.max_query_length)
        self.features: list[SquadFeatures] = squad_convert_examples_to_features(
            self.examples, tokenizer, *sizes, is_training=self.mode is Split.train
        )
        self.takes_types = "token_type_ids" in tokenizer.model_input_names

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        feature = self.features[i]
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if self.takes_types else [])]
        row = {name: torch.tensor(getattr(feature, name)) for name in names}
        if self.mode is Split.train:
            row["start_positions"] = torch.tensor(feature.start_position)
            row["end_positions"] = torch.tensor(feature.end_position)
        return row
