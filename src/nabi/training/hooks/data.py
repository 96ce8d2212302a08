"""From data sets to batches on the device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..arguments.training_arguments import TrainingArguments
from ..batches import dataset_of, eval_loader, is_map_style, length_of, train_loader
from ..checks import check_dataset
from ..collators import DataCollatorWithPadding, default_data_collator
from ..columns import LABELS, KeepColumns, lengths_of, without_unused
from ..losses import count_items, shifts_labels, takes_one


class DataHooks:
    """Loaders, the columns that reach the model, and how much an update holds."""

    args: TrainingArguments
    model: Any
    accelerator: Any
    train_dataset: Any
    eval_dataset: Any
    processing_class: Any
    data_collator: Callable[[list[Any]], Any]
    label_names: list[str]
    accepted: set[str] | None  # the names that the model's forward takes; None: any
    input_dtype: torch.dtype | None  # of inputs with a fraction, where an engine holds half weights

    def _default_collator(self) -> Callable[[list[Any]], Any]:
        if hasattr(self.processing_class, "pad"):
            return DataCollatorWithPadding(self.processing_class)
        return default_data_collator

    def get_train_dataloader(self) -> DataLoader:
        """Batches of the training set for this process; a subclass may return any loader that can be iterated."""
        if self.train_dataset is None:
            raise ValueError("train() needs a train_dataset: pass one to Trainer(…)")
        dataset, collate = self._of_model(self.train_dataset, "train_dataset")
        sampler = self._get_train_sampler(dataset) if takes_one(self._get_train_sampler) else self._get_train_sampler()
        return train_loader(dataset, collate, self.args, self._lengths(dataset), sampler)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """HF's hook for an order of one's own: a torch Sampler of row numbers. None: args.train_sampling_strategy."""
        return None

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Batches of an evaluation set: one given, one of the dict by its name, or the trainer's own."""
        if isinstance(eval_dataset, str):
            eval_dataset = self.eval_dataset[eval_dataset]
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        if dataset is None:
            raise ValueError("evaluate() needs an eval_dataset: pass one to Trainer(…) or to evaluate(…)")
        return self._evaluation_loader(dataset, "eval_dataset")

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader:
        return self._evaluation_loader(test_dataset, "test_dataset")

    def _evaluation_loader(self, dataset: Any, what: str) -> DataLoader:
        dataset, collate = self._of_model(dataset, what)
        return eval_loader(dataset, collate, self.args, self._lengths(dataset))

    def _of_model(self, dataset: Any, what: str) -> tuple[Any, Callable[[list[Any]], Any]]:
        """The dataset and a collator, without the columns that the model does not take."""
        check_dataset(dataset, what)
        if not self.args.remove_unused_columns or self.accepted is None:
            return dataset, self.data_collator
        accepted = {*self.accepted, *self.label_names, *getattr(self.data_collator, "reads", ())}
        by_length = self.args.train_sampling_strategy == "group_by_length"
        dataset = without_unused(dataset, accepted, {self.args.length_column_name} if by_length else set(), what)
        return dataset, KeepColumns(self.data_collator, {*accepted, *LABELS}, what)

    def _lengths(self, dataset: Any) -> list[int] | None:
        if self.args.train_sampling_strategy != "group_by_length" or not is_map_style(dataset):
            return None
        return lengths_of(dataset, self.args.length_column_name)

    def num_examples(self, dataloader: Any) -> int:
        """How many examples a loader goes through."""
        found = length_of(dataset_of(dataloader))
        return (length_of(dataloader) or 0) * self.args.per_device_train_batch_size if found is None else found

    def total_train_batch_size(self) -> int:
        """Examples in one update, over accumulation and all processes."""
        return self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], int | None]:
        """The micro-batches of an update, and how many labels count in them, in all processes together."""
        batches = list(itertools.islice(epoch_iterator, num_batches))
        shifted = shifts_labels(self.model)
        count = sum(count_items(inputs, self.label_names, shifted) for inputs in batches)
        if self.args.world_size > 1 and self.args.average_tokens_across_devices:
            count = int(self.accelerator.gather(torch.tensor([count], device=device)).sum())
        return batches, count

    def _prepare_input(self, data: Any) -> Any:
        if isinstance(data, Tensor):
            dtype = self.input_dtype if data.is_floating_point() else None
            return data.to(self.args.device, dtype, non_blocking=True)
        if isinstance(data, Mapping):
            return {name: self._prepare_input(value) for name, value in data.items()}
        if isinstance(data, (list, tuple)):
            return type(data)(self._prepare_input(value) for value in data)
        return data

    def _prepare_inputs(self, inputs: Any) -> Any:
        """A batch on the device."""
        prepared = self._prepare_input(inputs)
        if isinstance(prepared, Mapping) and not prepared:
            raise ValueError(
                "the batch has no inputs: every column was removed as none is an argument of the model "
                f"({', '.join(sorted(self.accepted or ()))})"
            )
        return prepared
