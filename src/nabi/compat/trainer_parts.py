"""Parts of the trainer that code of its own calls: nested tensors, samplers, names of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset, Sampler

from ..training.batches import by_length
from ..training.checkpoints import get_last_checkpoint as get_last_checkpoint
from ..training.losses import LabelSmoother as LabelSmoother
from ..training.losses import batch_size_of as find_batch_size  # noqa: F401
from ..training.search import default_objective as default_compute_objective  # noqa: F401
from ..training.search import default_space as default_hp_space_optuna  # noqa: F401
from .choices import *  # noqa: F403
from .choices import HPSearchBackend as HPSearchBackend
from .file_names import *  # noqa: F403

# --- nested tensors ------------------------------------------------------------------------------------------------


def _nested(function: Any, value: Any, *others: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_nested(function, *each) for each in zip(value, *others, strict=True))
    if isinstance(value, Mapping):
        return type(value)({key: _nested(function, inner, *(o[key] for o in others)) for key, inner in value.items()})  # type: ignore[call-arg]
    return function(value, *others)


def nested_detach(tensors: Any) -> Any:
    return _nested(lambda tensor: tensor.detach(), tensors)


def nested_numpify(tensors: Any) -> Any:
    return _nested(
        lambda tensor: (
            tensor.detach().cpu().float().numpy() if tensor.dtype == torch.bfloat16 else tensor.detach().cpu().numpy()
        ),
        tensors,
    )


def nested_truncate(tensors: Any, limit: int) -> Any:
    return _nested(lambda tensor: tensor[:limit], tensors)


def nested_concat(tensors: Any, new_tensors: Any, padding_index: int = -100) -> Any:
    """Rows behind rows; where the second dimension differs, filled up with padding_index."""

    def joined(first: Any, second: Any) -> Any:
        if isinstance(first, Tensor):
            return torch_pad_and_concatenate(first, second, padding_index)
        return numpy_pad_and_concatenate(first, second, padding_index)

    return _nested(joined, tensors, new_tensors)


def numpy_pad_and_concatenate(array1: np.ndarray, array2: np.ndarray, padding_index: int = -100) -> np.ndarray:
    array1, array2 = np.atleast_1d(array1), np.atleast_1d(array2)
    if array1.ndim == 1 or array1.shape[1] == array2.shape[1]:
        return np.concatenate((array1, array2))
    longest = max(array1.shape[1], array2.shape[1])
    widths = [((0, 0), (0, longest - array.shape[1]), *[(0, 0)] * (array.ndim - 2)) for array in (array1, array2)]
    padded = [
        np.pad(array, width, constant_values=padding_index)
        for array, width in zip((array1, array2), widths, strict=True)
    ]
    return np.concatenate(padded)


def torch_pad_and_concatenate(tensor1: Tensor, tensor2: Tensor, padding_index: int = -100) -> Tensor:
    made = numpy_pad_and_concatenate(tensor1.detach().cpu().numpy(), tensor2.detach().cpu().numpy(), padding_index)
    return torch.from_numpy(made).to(tensor1.device)


def distributed_concat(tensor: Any, num_total_examples: int | None = None) -> Any:
    """The rows of all processes."""
    from accelerate.utils import gather

    gathered = gather(tensor)
    return gathered if num_total_examples is None else nested_truncate(gathered, num_total_examples)


def nested_gather(tensors: Any, parallel_mode: Any = None, name: str | None = None) -> Any:
    return distributed_concat(tensors)


def denumpify_detensorize(metrics: Any) -> Any:
    """Plain numbers of arrays and tensors with one."""
    if isinstance(metrics, (list, tuple)):
        return type(metrics)(denumpify_detensorize(each) for each in metrics)
    if isinstance(metrics, dict):
        return {key: denumpify_detensorize(value) for key, value in metrics.items()}
    single = isinstance(metrics, np.generic) or (isinstance(metrics, Tensor) and metrics.numel() == 1)
    return metrics.item() if single else metrics


# --- rows in their order -------------------------------------------------------------------------------------------


class LengthGroupedSampler(Sampler[int]):
    """Rows of about one length together, in random order; batch_size is that of the loader."""

    def __init__(
        self,
        batch_size: int,
        dataset: Any = None,
        lengths: list[int] | None = None,
        model_input_name: str | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if dataset is None and lengths is None:
            raise ValueError("LengthGroupedSampler needs the dataset, or the lengths of its rows")
        name = model_input_name or "input_ids"
        self.lengths = [len(row[name]) for row in dataset] if lengths is None else list(lengths)
        self.batch_size, self.generator = batch_size, generator

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rows = torch.randperm(len(self.lengths), generator=self.generator).tolist()
        return iter(by_length(rows, self.lengths, self.batch_size))


class IterableDatasetShard(IterableDataset):
    """One process's share of a stream: of each batch of all processes, its part; the end filled up from the start."""

    def __init__(
        self,
        dataset: IterableDataset,
        batch_size: int = 1,
        drop_last: bool = False,
        num_processes: int = 1,
        process_index: int = 0,
        seed: int = 0,
    ) -> None:
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.num_processes, self.process_index, self.seed = num_processes, process_index, seed

    def __iter__(self) -> Iterator[Any]:
        size, first = self.batch_size * self.num_processes, self.process_index * self.batch_size
        batch: list[Any] = []
        filling: list[Any] = []
        for row in self.dataset:
            batch.append(row)
            if len(batch) == size:
                filling = filling or batch[:]
                yield from batch[first : first + self.batch_size]
                batch = []
        if batch and not self.drop_last:
            filling = filling or batch[:]
            while len(batch) < size:
                batch += filling
            yield from batch[first : first + self.batch_size]

    def __len__(self) -> int:
        size = self.batch_size * self.num_processes
        rows = len(self.dataset)  # type: ignore[arg-type]
        return (rows // size if self.drop_last else math.ceil(rows / size)) * self.batch_size


def has_length(dataset: Any) -> bool:
    try:
        return len(dataset) is not None
    except (TypeError, NotImplementedError):
        return False


# --- parameters ----------------------------------------------------------------------------------------------------


def get_parameter_names(
    model: nn.Module, forbidden_layer_types: list[type], forbidden_layer_names: list[str] | None = None
) -> list[str]:
    """Names of the parameters that are in no layer of these types and match none of these patterns."""
    import re

    patterns = [re.compile(pattern) for pattern in forbidden_layer_names or []]
    found = []
    for name, child in model.named_children():
        if isinstance(child, tuple(forbidden_layer_types)):
            continue
        inside = get_parameter_names(child, forbidden_layer_types, forbidden_layer_names)
        found += [f"{name}.{each}" for each in inside if not any(p.search(f"{name}.{each}".lower()) for p in patterns)]
    return found + [name for name in model._parameters if not any(pattern.search(name.lower()) for pattern in patterns)]


def get_model_param_count(model: nn.Module, trainable_only: bool = False) -> int:
    return sum(each.numel() for each in model.parameters() if each.requires_grad or not trainable_only)


def number_of_arguments(func: Any) -> int:
    import inspect

    return len(inspect.signature(func).parameters)


@contextmanager
def torch_distributed_zero_first(local_rank: int) -> Iterator[None]:
    """Inside, the first process of a machine is ahead of the others, which find what it left in a cache."""
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if several and local_rank not in (-1, 0):
        torch.distributed.barrier()
    yield
    if several and local_rank == 0:
        torch.distributed.barrier()


def is_main_process(local_rank: int) -> bool:
    return local_rank in (-1, 0)


def seed_worker(worker_id: int, num_workers: int = 0, rank: int = 0) -> None:
    """Seed a loader's process by the seed that torch gave it."""
    from ..training.seeds import set_seed

    set_seed(torch.initial_seed() % 2**32)
