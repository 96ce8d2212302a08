"""Running a model over a data set without training it: its losses, its answers, its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from .batches import Order, length_of, rows_in
from .losses import IGNORED, batch_size_of, count_items, shifts_labels
from .metrics import EvalPrediction
from .results import EvalLoopOutput

if TYPE_CHECKING:
    from .hooks.evaluation import EvaluationHooks


def run_over(
    trainer: EvaluationHooks,
    loader: Any,
    *,
    loss_only: bool,
    ignore_keys: list[str] | None,
    prefix: str,
    description: str,
) -> EvalLoopOutput:
    """Predictions and labels in the dataset's order, and the metrics, whose names begin with the prefix.

    The loss is the mean over all labels that count: it does not depend on how the examples were put into batches.
    """
    args, model = trainer.args, trainer.wrapped_for_evaluation()
    asked = {*args.include_for_metrics, *getattr(trainer.compute_metrics, "include_for_metrics", ())}
    by_batch = args.batch_eval_metrics and description != "Prediction" and trainer.compute_metrics is not None
    kept = {name: Rows() for name in ("predictions", "labels", "inputs")}
    losses: list[float] = []
    weights: list[int] = []
    each_loss: list[np.ndarray] = []
    metrics: dict[str, Any] = {}
    seen, shifted = 0, shifts_labels(trainer.model)
    batches = length_of(loader)
    trainer.callback_handler.eval_dataloader = loader
    was_training = model.training
    model.eval()
    switch(trainer.optimizer, "eval")
    try:
        for number, inputs in enumerate(loader):
            rows, total = batch_size_of(inputs) or 1, rows_in(loader)
            real = rows * args.world_size if total is None else min(rows * args.world_size, total - seen)
            seen += real
            gather = Gather(trainer.accelerator, real, rows)
            inputs = gather.own(inputs)
            loss, logits, labels = trainer.prediction_step(model, inputs, loss_only, ignore_keys=ignore_keys)
            if loss is not None:
                items = count_items(inputs, trainer.label_names, shifted) if gather.has_own else 0
                pairs = gather.all(
                    torch.stack([loss.float().mean(), torch.tensor(float(items), device=loss.device)])[None]
                )
                for one, weight in pairs.tolist():
                    losses.append(one)
                    weights.append(weight)
                each_loss.append(np.repeat(pairs[:, 0].cpu().numpy(), rows)[:real])
            labels = gather.padded(labels)
            logits = gather.padded(logits)
            if logits is not None and trainer.preprocess_logits_for_metrics is not None:
                logits = trainer.preprocess_logits_for_metrics(logits, labels)
            logits, labels = as_columns(nested(gather, logits)), nested(gather, labels)
            of_metrics = None
            if "inputs" in asked:
                main = inputs.get(getattr(trainer.model, "main_input_name", "input_ids"))
                of_metrics = nested(gather, gather.padded(trainer._prepare_input(main)))
            if by_batch:
                last = number + 1 == batches if batches else total is not None and seen >= total
                given = EvalPrediction(predictions=logits, label_ids=labels, inputs=of_metrics)
                metrics = trainer.compute_metrics(given, compute_result=last) or {}  # type: ignore[misc]
            else:
                for name, value in (("predictions", logits), ("labels", labels), ("inputs", of_metrics)):
                    kept[name].add(value)
            trainer.control = trainer.callback_handler.on_prediction_step(args, trainer.state, trainer.control)
    finally:
        model.train(was_training)
        if was_training:
            switch(trainer.optimizer, "train")
    if not seen:
        raise ValueError(f"the dataset for {prefix!r} has no examples: there is nothing to evaluate")
    order = loader.sampler.rows() if isinstance(getattr(loader, "sampler", None), Order) else None
    predictions, labels, inputs = (
        kept[name].together(order) if args.eval_do_concat_batches else kept[name].parts or None
        for name in ("predictions", "labels", "inputs")
    )
    if trainer.compute_metrics is not None and not by_batch and predictions is not None and labels is not None:
        found = EvalPrediction(
            predictions=predictions,
            label_ids=labels,
            inputs=inputs,
            losses=np.concatenate(each_loss) if "loss" in asked and each_loss else None,
        )
        metrics = trainer.compute_metrics(found)
    check_metrics(metrics)
    metrics = {name: plain(value) for name, value in metrics.items()}
    if losses:
        metrics = {f"{prefix}_loss": weighted_mean(losses, weights), **metrics}
    named = {name if name.startswith(f"{prefix}_") else f"{prefix}_{name}": value for name, value in metrics.items()}
    return EvalLoopOutput(predictions=predictions, label_ids=labels, metrics=named, num_samples=seen)


def switch(optimizer: Any, mode: str) -> None:
    """Schedule-free optimizers hold other weights while they train (arXiv:2405.15682); the others have no modes."""
    if callable(getattr(optimizer, mode, None)):
        getattr(optimizer, mode)()


def answers_in(outputs: Any, has_loss: bool, ignored: set[str]) -> Any:
    """What a model's output holds beside the loss: one tensor, or a tuple of them; None if there is nothing."""
    if isinstance(outputs, Mapping):
        found = tuple(value for name, value in outputs.items() if name not in ignored | {"loss"} and value is not None)
    elif isinstance(outputs, Tensor):
        found = () if has_loss else (outputs,)
    else:
        found = tuple(outputs[1:] if has_loss else outputs)
    found = nested(Tensor.detach, found)
    return found[0] if len(found) == 1 else found or None


def weighted_mean(values: list[float], weights: list[int]) -> float:
    """Batches without any label that counts have no loss (nan), and weigh nothing."""
    pairs = [(value, weight) for value, weight in zip(values, weights, strict=True) if weight]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else float("nan")


def check_metrics(metrics: Any) -> None:
    if not isinstance(metrics, Mapping):
        found = "nothing" if metrics is None else f"a {type(metrics).__name__} ({str(metrics)[:40]})"
        raise TypeError(f"compute_metrics returned {found}; it must return a dict such as {{'accuracy': 0.9}}")


def plain(value: Any) -> Any:
    """A metric as JSON can hold it: numpy's and torch's numbers as Python's."""
    if isinstance(value, (np.ndarray, np.generic, Tensor)):
        return value.item() if len(value.reshape(-1)) == 1 else value.tolist()
    return value


class Gather:
    """Puts together what the processes have of one batch, without the rows that were taken twice to fill it.

    real: how many of the batch's rows there are in all; rows: how many each process was given.
    """

    def __init__(self, accelerator: Any, real: int, rows: int) -> None:
        self.accelerator, self.real, self.rows = accelerator, real, rows
        self.several = accelerator.num_processes > 1
        self.uneven = self.several and real < rows * accelerator.num_processes
        self.mine = min(max(real - rows * accelerator.process_index, 0), rows)
        self.has_own = not self.several or self.mine > 0

    def own(self, inputs: Any) -> Any:
        """This process's inputs without repeated rows, whose loss would count twice; one stays where all are, so that
        every process runs the model."""
        if not self.uneven or not isinstance(inputs, Mapping):
            return inputs
        kept = max(self.mine, 1)
        return {name: value[:kept] if self._has_rows(value) else value for name, value in inputs.items()}

    def _has_rows(self, value: Any) -> bool:
        return ((isinstance(value, Tensor) and value.dim() > 0) or isinstance(value, list)) and len(value) == self.rows

    def all(self, tensor: Tensor) -> Tensor:
        """What every process has, one after the other."""
        return self.accelerator.gather(tensor.contiguous()) if self.several else tensor

    def __call__(self, tensor: Tensor) -> Tensor:
        if self.uneven and tensor.dim() > 0:
            tensor = self.accelerator.pad_across_processes(tensor, dim=0)
        return self.all(tensor)[: self.real] if self.several else tensor

    def padded(self, value: Any) -> Any:
        """Rows of one width in all processes."""
        if not self.several or value is None:
            return value
        return self.accelerator.pad_across_processes(value, dim=1, pad_index=IGNORED)


def nested(function: Callable[[Tensor], Any], value: Any) -> Any:
    """The function of a tensor, or of every tensor in tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {name: nested(function, one) for name, one in value.items()}
    if isinstance(value, list):
        return [nested(function, one) for one in value]
    if isinstance(value, tuple):
        return tuple(nested(function, one) for one in value)
    return value


def as_columns(value: Any) -> Any:
    """A list of a model's answers holds one tensor a layer or the like, as a tuple; one of labels holds one a row."""
    if isinstance(value, dict):
        return {name: as_columns(one) for name, one in value.items()}
    return tuple(map(as_columns, value)) if isinstance(value, (list, tuple)) else value


class Rows:
    """What batches gave, row by row, on the CPU."""

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def add(self, value: Any) -> None:
        if value is not None:
            self.parts.append(nested(as_array, value))

    def together(self, order: list[int] | None) -> Any:
        """One array of all rows (or tuples, dicts of them), narrower ones filled with -100; of lists, which hold one
        thing a row (the boxes of an image), one list. `order`: the dataset's row that each is."""
        if not self.parts:
            return None
        joined = concatenated(self.parts)
        if order is None or order == sorted(order):
            return joined
        back = np.argsort(order)
        return reordered(joined, back)


def as_array(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()


def reordered(value: Any, places: np.ndarray) -> Any:
    if isinstance(value, np.ndarray):
        return value[places]
    if isinstance(value, dict):
        return {name: reordered(one, places) for name, one in value.items()}
    if isinstance(value, list):
        return [value[place] for place in places]
    return tuple(reordered(one, places) for one in value)


def concatenated(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, dict):
        return {name: concatenated([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple):
        return tuple(concatenated(list(column)) for column in zip(*parts, strict=True))
    if isinstance(first, list):
        return [one for part in parts for one in part]
    if not isinstance(first, np.ndarray):
        return parts
    parts = [np.atleast_1d(part) for part in parts]
    shape = np.max([part.shape[1:] for part in parts], axis=0) if parts[0].ndim > 1 else []
    wide = tuple(int(size) for size in shape)
    if all(part.shape[1:] == wide for part in parts):
        return np.concatenate(parts)
    out = np.full((sum(map(len, parts)), *wide), IGNORED, dtype=first.dtype)
    start = 0
    for part in parts:
        place = (slice(start, start + len(part)), *map(slice, part.shape[1:]))
        out[place] = part
        start += len(part)
    return out
