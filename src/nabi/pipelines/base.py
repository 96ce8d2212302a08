"""What all pipelines share: inputs of every shape go in, are batched by length, and results come out in order.

    item -> preprocess -> model inputs (1, length)      \\
    item -> preprocess -> model inputs (1, length)       > collate -> forward -> one row each -> postprocess
    item -> preprocess -> model inputs (1, length)      /

An item may be several parts - the windows of a long text, a hypothesis for each label - each with model inputs of its
own, which are batched like those of any item; postprocess then gets the outputs of all parts. What preprocess puts
under the key "kept" goes past the model and stands in the part's outputs under the same name; parts whose values under
"alike" differ do not run together.

A list gives a list. Anything else that can be iterated gives an iterator, which reads ahead a little where its
source is quicker than the model and not where it is slower, so a job of any length runs in the same memory.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from .. import auto
from ..hub import PushToHubMixin
from .batching import ALIKE, KEPT, batches, join, move, row_of
from .devices import accepted_inputs, place
from .inputs import checked_batch_size, is_one_item, numbered, raise_first, read, take, without_marks
from .older_methods import OlderMethods
from .progress import watched
from .tasks import HUB_OPTIONS

BATCH_SIZE = 32  # results do not depend on it, so the default is one that is quick
READ_AHEAD_BATCHES = 32  # at most so many batches are sorted by length together,
READ_AHEAD_SECONDS = 1.0  # and of an iterator about so much work, lest its results come in gusts

Steps = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # what preprocess, _forward, postprocess are given


class Pipeline(ABC, OlderMethods, PushToHubMixin):
    """A model, what makes its inputs, and the three steps of one task. A child writes those steps.

    A child says in `heads` which of nabi.auto's classes load its models, the first that has the checkpoint's class
    before the others, and in `needs` what makes their inputs.
    tokenizer, image_processor, feature_extractor, processor: loaded ones.
    device: None (an accelerator if there is one, else where the model is), a number, a name or a torch.device.
    batch_size: how many items run together; no result depends on it. Other keywords are the steps' settings and
    may be given in each call too.
    """

    task: str = ""
    heads: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ("tokenizer",)
    framework: ClassVar[str] = "pt"  # which pipelines of older code ask
    usual_batch_size: ClassVar[int] = BATCH_SIZE
    padding_side: ClassVar[str | None] = None  # "left" or "right" where the task asks for it
    read_ahead: ClassVar[int] = READ_AHEAD_BATCHES  # less where an item is large, as an image is

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        image_processor: Any = None,
        feature_extractor: Any = None,
        processor: Any = None,
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
        self.processor = processor
        self.tokenizer = tokenizer if tokenizer is not None else getattr(processor, "tokenizer", None)
        self.image_processor = image_processor or getattr(processor, "image_processor", None)
        self.feature_extractor = feature_extractor or getattr(processor, "feature_extractor", None)
        for name in self.needs:
            if getattr(self, name) is None:
                raise ValueError(f"{type(self).__name__} needs the {name} that belongs to the model: {name}=…")
        self.task = task or type(self).task
        self.device = place(model, device)
        self.batch_size = checked_batch_size(batch_size)
        for option in ("framework", "num_workers", "binary_output", "modelcard", "args_parser"):
            settings.pop(option, None)  # of older days: there is one framework, and no worker is needed
        self._settings = self._sanitize_parameters(**settings)
        self._model_takes = accepted_inputs(model)

    # ------------------------------------------------------------ the steps, written by each task

    @classmethod
    def load_model(cls, name: str | Path, **options: Any) -> Any:
        """The checkpoint's model with this task's head. Options as those of from_pretrained.

        ValueError for a checkpoint whose file holds no weights for the head: its answers would be chance.
        """
        loaders = [getattr(auto, head) for head in cls.heads]
        if not loaders:
            raise TypeError(f"{cls.__name__} does not say in `heads` how its models are loaded")
        loader = loaders[0]
        if len(loaders) > 1:
            where = {key: options[key] for key in HUB_OPTIONS if key in options}
            config = options.get("config") or auto.AutoConfig.from_pretrained(name, **where)
            saved = (config.architectures or [""])[0]
            serving = [each for each in loaders if each.of(type(config)) is not None]
            fitting = [each for each in serving if each.of(type(config)).__name__ == saved]
            loader = (fitting or serving or loaders)[0]
        model, info = loader.from_pretrained(name, output_loading_info=True, **options)
        missing = [key for key in info["missing_keys"] if not key.startswith(f"{model.base_model_prefix}.")]
        if missing and loader is not auto.AutoModel:
            raise ValueError(
                f"{name} has no weights for the head of {type(model).__name__} ({', '.join(missing[:4])} are lacking), "
                f"so its answers for {cls.task} would be chance: name a checkpoint that was trained for the task, or "
                "train the head first and pass the model itself"
            )
        return model

    @abstractmethod
    def _sanitize_parameters(self, **settings: Any) -> Steps:
        """Sort keywords into those of preprocess, _forward and postprocess; TypeError for an unknown one."""

    @abstractmethod
    def preprocess(self, inputs: Any, **settings: Any) -> Any:
        """One item -> model inputs with a batch dimension of 1, or several of them, a list or generator, for its parts.

        ValueError or TypeError for a bad item.
        """

    @abstractmethod
    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> Any:
        """Model inputs -> model outputs, for one item or a batch alike."""

    @abstractmethod
    def postprocess(self, model_outputs: Any, **settings: Any) -> Any:
        """Outputs of one item (batch dimension 1), or a list with those of its parts -> its result in plain values."""

    # ------------------------------------------------------------ calls

    def __call__(
        self,
        inputs: Any,
        *,
        batch_size: int | None = None,
        on_error: Literal["raise", "return"] = "raise",
        progress: bool | None = None,
        **settings: Any,
    ) -> Any:
        """One item -> its result; a list -> a list; a generator, dataset or other iterable -> an iterator.

        on_error="return" puts the exception of a bad item in the place of its result, and goes on.
        progress: whether a bar shows how far a long job is; None: in a terminal and a notebook.
        """
        settings.pop("num_workers", None)
        if on_error not in ("raise", "return"):
            raise ValueError(f"on_error is {on_error!r}; expected 'raise' or 'return'")
        steps = self._merged(settings)
        size = self.batch_size if batch_size is None else checked_batch_size(batch_size)
        if self.is_one(inputs):
            return self.run_single(inputs, *steps)
        if hasattr(inputs, "tolist") and not isinstance(inputs, Tensor):
            inputs = inputs.tolist()  # a column of pandas, an array of numpy
        if isinstance(inputs, (list, tuple)):
            results = self._run_list(list(inputs), steps, size, on_error)
            return list(watched(results, len(inputs), self.task, progress))
        results = self._run_stream(read(inputs), steps, size, on_error)
        length = len(inputs) if hasattr(inputs, "__len__") else None
        return Results(watched(results, length, self.task, progress), inputs)

    def is_one(self, inputs: Any) -> bool:
        """Whether this is one item of the task, and not a source of many: a text, a mapping."""
        return is_one_item(inputs)

    def run_single(
        self, inputs: Any, preprocess: dict[str, Any], forward: dict[str, Any], postprocess: dict[str, Any]
    ) -> Any:
        (prepared,) = self._prepare([inputs], None, preprocess)
        if isinstance(prepared, Exception):
            raise prepared
        (result,) = self._compute([prepared], None, (preprocess, forward, postprocess), None, "raise")
        return result

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

    def explain(self, *inputs: Any, **settings: Any) -> Any:
        """A look inside at what happens to one item: an Explanation. Inputs and settings are those of a call, and
        `method`, `steps`, `target`, `position`, `alternatives` as explanation.explain says."""
        from .explanation import explain

        return explain(self, *inputs, **settings)

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> None:
        """Write model, tokenizer and processors to a folder that `pipeline(task, model=folder)` loads."""
        self.model.save_pretrained(folder, **options)
        for part in (self.tokenizer, self.image_processor, self.feature_extractor, self.processor):
            if part is not None:
                part.save_pretrained(folder)

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

    def _run_list(self, items: list[Any], steps: Steps, size: int | None, on_error: str) -> Iterator[Any]:
        window = self.read_ahead * (size or self.usual_batch_size)
        for start in range(0, len(items), window):
            prepared = self._prepare(items[start : start + window], start, steps[0])
            if on_error == "raise":
                raise_first(prepared)  # before the model has done any work
            yield from self._compute(prepared, start, steps, size, on_error)

    def _run_stream(self, source: Iterator[Any], steps: Steps, size: int | None, on_error: str) -> Iterator[Any]:
        """Results one by one. The window of items read together grows while reading is quicker than computing.

        A source that waits for a result before it gives its next item must be read with batch_size=1.
        """
        largest = 1 if size == 1 else self.read_ahead * (size or self.usual_batch_size)
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

    def _prepare(self, items: list[Any], start: int | None, settings: dict[str, Any]) -> list[Any]:
        """Each item's model inputs, or the exception that it raised, with the item's number in its message."""
        prepared: list[Any] = []
        for number, item in enumerate(items, start or 0):
            try:
                made = self.preprocess(item, **settings)
                prepared.append(made if isinstance(made, Mapping) else [without_marks(part) for part in made])
            except (TypeError, ValueError) as error:
                prepared.append(error if start is None else numbered(error, number))
        return prepared

    def _compute(
        self, prepared: list[Any], start: int | None, steps: Steps, size: int | None, on_error: str
    ) -> list[Any]:
        """Results in the order of `prepared`. Parts that fit together run together; the longest run first, so what
        does not fit fails first. start: the number of the first item, None for a single one."""
        results = list(prepared)
        parts = {
            (item, number): part
            for item, made in enumerate(prepared)
            if not isinstance(made, Exception)
            for number, part in enumerate([made] if isinstance(made, Mapping) else made)
        }
        lacking = dict.fromkeys((item for item, _ in parts), 0)
        for item, _ in parts:
            lacking[item] += 1
        outputs: dict[int, dict[int, Any]] = {item: {} for item in lacking}
        for item, made in enumerate(prepared):
            if isinstance(made, list) and not made:
                results[item] = self.postprocess([], **steps[2])
        for keys in batches(parts, self._width(size)):
            for (item, part), output in self._outputs_of({key: parts[key] for key in keys}, steps[1]).items():
                outputs[item][part] = output
                lacking[item] -= 1
                if not lacking[item]:
                    results[item] = self._result(prepared[item], outputs.pop(item), steps[2])
                    if isinstance(results[item], ValueError) and start is not None:
                        results[item] = numbered(results[item], start + item)
                    if isinstance(results[item], ValueError) and on_error == "raise":
                        raise results[item]
        return results

    def _outputs_of(self, batch: dict[Any, dict[str, Any]], forward: dict[str, Any]) -> dict[Any, Any]:
        """The outputs of each part, run together; where that fails, one by one to see which it was: its error."""
        parts = list(batch.values())
        fed = [{name: value for name, value in part.items() if name != KEPT} for part in parts]
        try:
            out = self.forward(fed[0] if len(fed) == 1 else self.collate(fed), **forward)
            rows = [row_of(out, i) for i in range(len(parts))] if len(parts) > 1 else [out]
        except ValueError as error:
            if len(batch) == 1:
                return dict.fromkeys(batch, error)
            return {key: self._outputs_of({key: part}, forward)[key] for key, part in batch.items()}
        return {
            key: {**row, KEPT: part[KEPT]} if KEPT in part else row
            for (key, part), row in zip(batch.items(), rows, strict=True)
        }

    def _result(self, made: Any, outputs: dict[int, Any], settings: dict[str, Any]) -> Any:
        """What postprocess makes of an item's outputs, or the error of one of its parts."""
        in_order = [outputs[part] for part in sorted(outputs)]
        failed = next((output for output in in_order if isinstance(output, ValueError)), None)
        if failed is not None:
            return failed
        try:
            return self.postprocess(in_order[0] if isinstance(made, Mapping) else in_order, **settings)
        except ValueError as error:
            return error

    def _width(self, size: int | None) -> int:
        """The batch size that is possible: with no padding token, texts of different lengths run one by one."""
        if self.tokenizer is not None and None in (self._padding_id, getattr(self.model.config, "pad_token_id", 0)):
            return 1
        return size or self.usual_batch_size

    @property
    def _padding_id(self) -> int | None:
        return getattr(self.tokenizer, "pad_token_id", None)

    def collate(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """Model inputs of single items -> of one batch, padded to the longest on the task's or tokenizer's side."""
        left = self.pads_left
        filling = {"input_ids": self._padding_id or 0, "special_tokens_mask": 1}
        joined = {name: join([one[name] for one in batch], filling.get(name, 0), left) for name in batch[0]}
        return {**joined, ALIKE: batch[0][ALIKE]} if ALIKE in joined else joined

    @property
    def pads_left(self) -> bool:
        """Whether padding stands before the texts of a batch: where the task says so, or the model speaks by its last
        token. Behind them, whatever the tokenizer is used to, nobody counts it or takes it for the first token."""
        by_last = getattr(self.model.config, "summary_type", None) == "last"
        return (self.padding_side or ("left" if by_last else "right")) == "left"

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
