"""What all pipelines share: inputs of every shape go in, are batched by length, and results come out in order.

    item -> preprocess -> model inputs (1, length)      \\
    item -> preprocess -> model inputs (1, length)       > collate -> forward -> one row each -> postprocess
    item -> preprocess -> model inputs (1, length)      /

A list gives a list. Anything else that can be iterated gives an iterator, which reads ahead a little where its
source is quicker than the model and not where it is slower, so a job of any length runs in the same memory.
"""

from __future__ import annotations

import inspect
import itertools
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from .batching import item_length, join, move, row_of

BATCH_SIZE = 32  # results do not depend on it, so the default is one that is quick
READ_AHEAD_BATCHES = 32  # at most so many batches are sorted by length together,
READ_AHEAD_SECONDS = 1.0  # and of an iterator about so much work, lest its results come in gusts

Steps = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # what preprocess, _forward, postprocess are given


class Pipeline(ABC):
    """A model, its tokenizer, and the three steps of one task. A child writes those steps.

    device: None (an accelerator if there is one, else where the model is), a number, a name or a torch.device.
    batch_size: how many items run together; no result depends on it. Other keywords are the steps' settings and
    may be given in each call too.
    """

    task: str = ""

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        task: str = "",
        device: int | str | torch.device | None = None,
        batch_size: int | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(model, (str, os.PathLike)) or isinstance(tokenizer, (str, os.PathLike)):
            raise TypeError(
                f"{type(self).__name__} takes a loaded model and tokenizer; by name they are loaded with "
                f"pipeline({self.task!r}, model={os.fspath(model) if isinstance(model, (str, os.PathLike)) else '…'!r})"
            )
        self.model = model
        self.tokenizer = tokenizer
        self.task = task or type(self).task
        self.device = place(model, device)
        self.batch_size = checked_batch_size(batch_size)
        for option in ("framework", "num_workers", "binary_output", "modelcard", "args_parser"):
            settings.pop(option, None)  # of older days: there is one framework, and no worker is needed
        self._settings = self._sanitize_parameters(**settings)
        self._model_takes = accepted_inputs(model)

    # ------------------------------------------------------------ the steps, written by each task

    @classmethod
    @abstractmethod
    def load_model(cls, name: str | Path, **options: Any) -> Any:
        """The checkpoint's model with this task's head. Options as those of from_pretrained."""

    @abstractmethod
    def _sanitize_parameters(self, **settings: Any) -> Steps:
        """Sort keywords into those of preprocess, _forward and postprocess; TypeError for an unknown one."""

    @abstractmethod
    def preprocess(self, inputs: Any, **settings: Any) -> dict[str, Any]:
        """One item -> model inputs with a batch dimension of 1. ValueError or TypeError for a bad item."""

    @abstractmethod
    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> Any:
        """Model inputs -> model outputs, for one item or a batch alike."""

    @abstractmethod
    def postprocess(self, model_outputs: Any, **settings: Any) -> Any:
        """The outputs of one item (batch dimension 1) -> its result, in plain Python values."""

    # ------------------------------------------------------------ calls

    def __call__(
        self,
        inputs: Any,
        *,
        batch_size: int | None = None,
        on_error: Literal["raise", "return"] = "raise",
        **settings: Any,
    ) -> Any:
        """One item -> its result; a list -> a list; a generator, dataset or other iterable -> an iterator.

        on_error="return" puts the exception of a bad item in the place of its result, and goes on.
        """
        settings.pop("num_workers", None)
        if on_error not in ("raise", "return"):
            raise ValueError(f"on_error is {on_error!r}; expected 'raise' or 'return'")
        steps = self._merged(settings)
        size = self.batch_size if batch_size is None else checked_batch_size(batch_size)
        if hasattr(inputs, "tolist") and not isinstance(inputs, Tensor):
            inputs = inputs.tolist()  # a column of pandas, an array of numpy
        if isinstance(inputs, (list, tuple)):
            return self._run_list(list(inputs), steps, size, on_error)
        if is_one_item(inputs):
            return self.run_single(inputs, *steps)
        return Results(self._run_stream(read(inputs), steps, size, on_error), inputs)

    def run_single(
        self, inputs: Any, preprocess: dict[str, Any], forward: dict[str, Any], postprocess: dict[str, Any]
    ) -> Any:
        model_inputs = self.preprocess(inputs, **preprocess)
        return self.postprocess(self.forward(model_inputs, **forward), **postprocess)

    def forward(self, model_inputs: dict[str, Any], **settings: Any) -> Any:
        """`_forward` on the pipeline's device, without gradients and without dropout; outputs on the CPU."""
        if self.model.training:
            self.model.eval()
            try:
                return self.forward(model_inputs, **settings)
            finally:
                self.model.train()
        with torch.no_grad():
            inputs = move(self._known_to_model(model_inputs), self.device)
            return move(self._forward(inputs, **settings), torch.device("cpu"))

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> None:
        """Write model and tokenizer to a folder that `pipeline(task, model=folder)` loads."""
        self.model.save_pretrained(folder, **options)
        if self.tokenizer is not None:
            self.tokenizer.save_pretrained(folder)

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    torch_dtype = dtype

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={type(self.model).__name__}, device={self.device}, dtype={self.dtype})"

    # ------------------------------------------------------------ batches

    def _merged(self, settings: dict[str, Any]) -> Steps:
        """The settings of the constructor, overridden by those of the call."""
        given = self._sanitize_parameters(**settings)
        before, model, after = ({**old, **new} for old, new in zip(self._settings, given, strict=True))
        return before, model, after

    def _run_list(self, items: list[Any], steps: Steps, size: int | None, on_error: str) -> list[Any]:
        results: list[Any] = []
        window = READ_AHEAD_BATCHES * (size or BATCH_SIZE)
        for start in range(0, len(items), window):
            prepared = self._prepare(items[start : start + window], start, steps[0])
            if on_error == "raise":
                raise_first(prepared)  # before the model has done any work
            results += self._compute(prepared, start, steps, size, on_error)
        return results

    def _run_stream(self, source: Iterator[Any], steps: Steps, size: int | None, on_error: str) -> Iterator[Any]:
        """Results one by one. The window of items read together grows while reading is quicker than computing.

        A source that waits for a result before it gives its next item must be read with batch_size=1.
        """
        largest = 1 if size == 1 else READ_AHEAD_BATCHES * (size or BATCH_SIZE)
        window, count = 1, 0
        while True:
            began = time.perf_counter()
            items, failure = take(source, window)
            read_in = time.perf_counter() - began
            results = self._compute(self._prepare(items, count, steps[0]), count, steps, size, "return")
            computed_in = time.perf_counter() - began - read_in
            for result in results:
                if on_error == "raise" and isinstance(result, Exception):
                    raise result
                yield result
            if failure is not None:
                raise failure
            if len(items) < window:
                return
            count += len(items)
            if read_in > computed_in or computed_in > 2 * READ_AHEAD_SECONDS:
                window = max(window // 2, 1)
            elif computed_in < READ_AHEAD_SECONDS:
                window = min(2 * window, largest)

    def _prepare(self, items: list[Any], start: int, settings: dict[str, Any]) -> list[Any]:
        """Each item's model inputs, or the exception that it raised, with the item's number in its message."""
        prepared: list[Any] = []
        for number, item in enumerate(items, start):
            try:
                prepared.append(self.preprocess(item, **settings))
            except (TypeError, ValueError) as error:
                prepared.append(numbered(error, number))
        return prepared

    def _compute(self, prepared: list[Any], start: int, steps: Steps, size: int | None, on_error: str) -> list[Any]:
        """Results in the order of `prepared`; the longest items run first, so what does not fit fails first."""
        results = list(prepared)
        good = [i for i, inputs in enumerate(prepared) if not isinstance(inputs, Exception)]
        good.sort(key=lambda i: item_length(prepared[i]), reverse=True)
        width = self._width(size)
        for chunk in (good[i : i + width] for i in range(0, len(good), width)):
            batch = {start + i: prepared[i] for i in chunk}
            for i, result in zip(chunk, self._compute_batch(batch, steps, on_error), strict=True):
                results[i] = result
        return results

    def _compute_batch(self, batch: dict[int, dict[str, Any]], steps: Steps, on_error: str) -> list[Any]:
        """The results of these numbered items, together; where that fails, one by one to see which it was."""
        _, forward, postprocess = steps
        inputs = list(batch.values())
        try:
            outputs = self.forward(inputs[0] if len(inputs) == 1 else self.collate(inputs), **forward)
            return [self.postprocess(row_of(outputs, i), **postprocess) for i in range(len(inputs))]
        except ValueError as error:
            if len(batch) > 1:
                return [self._compute_batch({n: one}, steps, on_error)[0] for n, one in batch.items()]
            failure = numbered(error, next(iter(batch)))
            if on_error == "raise":
                raise failure from error
            return [failure]

    def _width(self, size: int | None) -> int:
        """The batch size that is possible: with no padding token, texts of different lengths run one by one."""
        if self.tokenizer is not None and None in (self._padding_id, getattr(self.model.config, "pad_token_id", 0)):
            return 1
        return size or BATCH_SIZE

    @property
    def _padding_id(self) -> int | None:
        return getattr(self.tokenizer, "pad_token_id", None)

    def collate(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """Model inputs of single items -> of one batch, padded to the longest on the tokenizer's side."""
        left = getattr(self.tokenizer, "padding_side", "right") == "left"
        filling = {"input_ids": self._padding_id or 0, "special_tokens_mask": 1}
        return {name: join([one[name] for one in batch], filling.get(name, 0), left) for name in batch[0]}

    def _known_to_model(self, model_inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Without segment ids, if the model has none: a tokenizer saved without a class makes them for any model."""
        if self._model_takes is None or "token_type_ids" in self._model_takes:
            return dict(model_inputs)
        return {name: value for name, value in model_inputs.items() if name != "token_type_ids"}


class Results(Iterator[Any]):
    """Results in the order of the inputs, computed as they are asked for. len() works if the inputs have one."""

    def __init__(self, stream: Iterator[Any], inputs: Any) -> None:
        self._stream, self._inputs = stream, inputs

    def __next__(self) -> Any:
        return next(self._stream)

    def __len__(self) -> int:
        return len(self._inputs)


# ---------------------------------------------------------------- inputs


def is_one_item(inputs: Any) -> bool:
    """Whether this is one item of a task and not a source of many."""
    if isinstance(inputs, (str, bytes, Mapping, Tensor)):
        return True
    return not (isinstance(inputs, Iterable) or hasattr(inputs, "__getitem__"))


def read(inputs: Any) -> Iterator[Any]:
    """The items of an iterable, or of a map-style dataset, which has only a length and items by number."""
    if isinstance(inputs, Iterable):
        return iter(inputs)
    return (inputs[i] for i in range(len(inputs)))


def take(source: Iterator[Any], count: int) -> tuple[list[Any], Exception | None]:
    """Up to `count` items, and the error that ended the source early: what came before it is not lost."""
    items: list[Any] = []
    try:
        items.extend(itertools.islice(source, count))
    except Exception as error:
        return items, error
    return items, None


def numbered(error: Exception, number: int) -> Exception:
    """The error of item `number` of many, as one to raise or to hand out."""
    said = (TypeError if isinstance(error, TypeError) else ValueError)(f"input {number}: {error}")
    said.__cause__ = error
    return said


def raise_first(results: list[Any]) -> None:
    for result in results:
        if isinstance(result, Exception):
            raise result


def checked_batch_size(size: int | None) -> int | None:
    if size is None or (isinstance(size, int) and size >= 1):
        return size
    raise ValueError(f"batch_size is {size!r}; expected a number of 1 or more, or None")


# ---------------------------------------------------------------- model and device


def accepted_inputs(model: Any) -> set[str] | None:
    """The names of the inputs that the model takes; None if it takes any."""
    for callee in (model.forward, getattr(getattr(model, "base_model", None), "forward", None)):
        if callee is None:
            return None
        parameters = inspect.signature(callee).parameters
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
            return set(parameters)
    return None


def place(model: Any, device: int | str | torch.device | None) -> torch.device:
    """Move the model where it shall be, and say where that is."""
    wanted = chosen_device(model, device)
    if model.device != wanted:
        try:
            model.to(wanted)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here: {str(error).splitlines()[0]} device='cpu' always works"
            ) from error
    return wanted


def chosen_device(model: Any, device: int | str | torch.device | None) -> torch.device:
    if isinstance(device, (str, torch.device)):
        try:
            return torch.device(device)
        except RuntimeError as error:
            raise ValueError(f"device={device!r} is no device: expected 'cpu', 'cuda', 'cuda:1', 'mps', …") from error
    if device is not None and (isinstance(device, bool) or not isinstance(device, int)):
        raise TypeError(f"device is a {type(device).__name__}; expected a number, a name or a torch.device")
    if device is not None and device < 0:
        return torch.device("cpu")
    if device is None and model.device.type != "cpu":
        return model.device
    accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None
    return torch.device("cpu") if accelerator is None else torch.device(accelerator, device or 0)
