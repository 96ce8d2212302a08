"""The tasks of `pipeline` as the tables that code looks into, and data sets of one column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import Dataset, IterableDataset

import nabi

from ..pipelines.tasks import ALIASES, TASKS, Task, find_task

TASK_ALIASES = dict(ALIASES)


def _described(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = {"impl": task.load_class(), "tf": (), "pt": (), "type": task.kind}
    if task.default is not None:
        found["default"] = {"model": {"pt": (task.default.name, task.default.revision)}}
    return found


class _Tasks(dict[str, Any]):
    """Task -> its class, its kind and its default model, filled in when it is looked at."""

    def __getitem__(self, name: str) -> Any:
        if super().__getitem__(name) is None:
            self[name] = _described(TASKS[name])
        return super().__getitem__(name)


SUPPORTED_TASKS = _Tasks(dict.fromkeys(TASKS))


def check_task(task: str) -> tuple[str, dict[str, Any], tuple[str, str] | None]:
    """(the task's proper name, its description, and for translation_xx_to_yy the two languages)."""
    found = find_task(task)
    languages = tuple(task.split("_")[1::2]) if task.startswith("translation_") else None
    return found.name, _described(found), languages  # type: ignore[return-value]


def get_supported_tasks() -> list[str]:
    return nabi.PIPELINE_REGISTRY.get_supported_tasks()


class KeyDataset(Dataset):
    """One column of a data set, row by row: what a pipeline takes."""

    def __init__(self, dataset: Any, key: str) -> None:
        self.dataset, self.key = dataset, key

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> Any:
        return self.dataset[i][self.key]


class KeyPairDataset(KeyDataset):
    """Two columns, as a text and its pair."""

    def __init__(self, dataset: Any, key1: str, key2: str) -> None:
        super().__init__(dataset, key1)
        self.second = key2

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {"text": self.dataset[i][self.key], "text_pair": self.dataset[i][self.second]}


class PipelineIterator(IterableDataset):
    """What `infer` makes of each item of a loader."""

    def __init__(self, loader: Any, infer: Any, params: dict[str, Any], loader_batch_size: int | None = None) -> None:
        self.loader, self.infer, self.params = loader, infer, params

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        return (self.infer(item, **self.params) for item in self.loader)
