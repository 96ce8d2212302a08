"""What is wrong with a training before it begins: one error each, before any compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from .arguments.choices import IntervalStrategy
from .batches import is_map_style


def check_construction(
    args: Any, model: Any, model_init: Any, train_dataset: Any, eval_dataset: Any, optimizers: Any
) -> None:
    """Raises TypeError or ValueError for what is passed to Trainer(…)."""
    if (model is None) == (model_init is None):
        what = "neither" if model is None else "both"
        raise ValueError(f"pass either a model or model_init to Trainer: {what} was given")
    if model is not None and not isinstance(model, nn.Module):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a model: load one by "
            "AutoModelForSequenceClassification.from_pretrained(…) or another Auto class"
        )
    if model is not None and hasattr(model, "config") and lacks_head(model):
        raise ValueError(
            f"{type(model).__name__} has no head, and so no loss to train by: use "
            "AutoModelForSequenceClassification or another Auto class for your task"
        )
    if args.eval_strategy != IntervalStrategy.NO and eval_dataset is None:
        raise ValueError(
            f"eval_strategy is {str(args.eval_strategy)!r}, but there is no eval_dataset: pass one, or set it to 'no'"
        )
    if not isinstance(optimizers, tuple) or len(optimizers) != 2:
        raise TypeError("optimizers is a pair: (optimizer, scheduler), either of which may be None")
    if optimizers != (None, None) and model_init is not None:
        raise ValueError(
            "with model_init the optimizer is made for each model: leave `optimizers` out, or pass a model"
        )
    if train_dataset is not None:
        check_dataset(train_dataset, "train_dataset")
    for name, dataset in eval_dataset.items() if isinstance(eval_dataset, dict) else [("", eval_dataset)]:
        if dataset is not None:
            check_dataset(dataset, f"eval_dataset {name}".strip())


def lacks_head(model: Any) -> bool:
    """Whether a nabi model is a bare body, whose forward takes no labels."""
    takes = getattr(model, "_arguments", None)
    return takes is not None and not any("label" in name or name.endswith("_positions") for name in takes())


def check_dataset(dataset: Any, what: str) -> None:
    """Raises TypeError for what is no data set, ValueError for one without examples."""
    if isinstance(dataset, (str, bytes)) or not (is_map_style(dataset) or hasattr(dataset, "__iter__")):
        raise TypeError(
            f"the {what} is a {type(dataset).__name__}; expected examples as a torch Dataset, a datasets.Dataset or a "
            "list of dicts" + ("; nabi.load_data(path) reads a file" if isinstance(dataset, str) else "")
        )
    if isinstance(dataset, dict):
        raise TypeError(f"the {what} is a dict of {', '.join(map(str, dataset))}: pass one of them, as data['train']")
    if is_map_style(dataset) and len(dataset) == 0:
        raise ValueError(f"the {what} has no examples: look at the file or the filter that it came from")


def not_finite(model: nn.Module, batches: list[Any]) -> str | None:
    """What there is in a batch or in the model that is no finite number, with a remedy; None if all are finite."""
    for batch in batches:
        for name, value in batch.items() if isinstance(batch, Mapping) else ():
            if isinstance(value, Tensor) and value.is_floating_point() and not bool(value.isfinite().all()):
                bad = value[~value.isfinite()][0]
                return f"{name!r} holds {float(bad)}: take such rows out of the data, or fill them with numbers"
    for name, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            return (
                f"the model's weight {name} holds numbers that are not finite: load the model anew; if it came so, its "
                "checkpoint is damaged, else learning_rate was too high"
            )
    return None
