"""What is wrong with a training before it begins: one error each, before any compute."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..hub import is_offline
from .arguments.choices import IntervalStrategy
from .batches import is_map_style

logger = logging.getLogger(__name__)

# Inner methods of transformers' Trainer that subclasses replace, and what to do here.
UNUSED_HOOKS = {
    "_get_eval_sampler": "evaluation goes in the dataset's order; replace get_eval_dataloader",
    "_inner_training_loop": "replace training_step, or use callbacks",
    "_maybe_log_save_evaluate": "replace log and evaluate, or use callbacks",
    "_move_model_to_device": "replace prepare_training",
    "_remove_unused_columns": "set remove_unused_columns=False",
    "_save_checkpoint": "replace _save, or use a callback's on_save",
    "_wrap_model": "replace prepare_training",
}


def check_construction(
    args: Any,
    model: Any,
    model_init: Any,
    train_dataset: Any,
    eval_dataset: Any,
    optimizers: Any,
    reads_train: bool = True,
    reads_eval: bool = True,
) -> None:
    """Raises TypeError or ValueError for what is passed to Trainer(…).

    reads_train, reads_eval: whether the loaders are Trainer's; those of a subclass may take any kind of data.
    """
    if (model is None) == (model_init is None):
        what = "neither was" if model is None else "both were"
        raise ValueError(f"pass either a model or model_init to Trainer: {what} given")
    if model_init is not None and (isinstance(model_init, nn.Module) or not callable(model_init)):
        raise TypeError(
            f"model_init is a {type(model_init).__name__}; expected a function that makes a model: pass "
            "model_init=lambda: AutoModel….from_pretrained(…), or this one as model"
        )
    if model is not None and not isinstance(model, nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}"
        raise TypeError(
            f"model is {what}; expected a model: load one by "
            "AutoModelForSequenceClassification.from_pretrained(…) or another Auto class"
        )
    if Path(args.output_dir).is_file():
        raise ValueError(f"output_dir is {str(args.output_dir)!r}, which is a file: name a folder for the checkpoints")
    if model is not None and hasattr(model, "config") and lacks_head(model):
        raise ValueError(
            f"{type(model).__name__} has no head, and so no loss to train by: use "
            "AutoModelForSequenceClassification or another Auto class for your task"
        )
    if args.push_to_hub and is_offline():
        raise ValueError("push_to_hub=True, but HF_HUB_OFFLINE=1 forbids the network: unset it, or push later")
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
    if train_dataset is not None and reads_train:
        check_dataset(train_dataset, "train_dataset")
    if not reads_eval:
        return
    for name, dataset in eval_dataset.items() if isinstance(eval_dataset, dict) else [("", eval_dataset)]:
        if dataset is not None:
            check_dataset(dataset, f"eval_dataset {name}".strip())


def warn_of_unused_hooks(kind: type) -> None:
    """Say which methods of a subclass are never called: silently it would train otherwise than its author thinks."""
    for name, instead in UNUSED_HOOKS.items():
        if hasattr(kind, name):
            logger.warning(
                "%s.%s is not called, as nabi's Trainer has no such method: %s", kind.__name__, name, instead
            )


def lacks_head(model: Any) -> bool:
    """Whether a nabi model is a bare body, whose forward takes no labels and has no loss without them (CLIP has)."""
    takes = getattr(model, "_arguments", None)
    return takes is not None and not any(
        "label" in name or name.endswith("_positions") or name == "return_loss" for name in takes()
    )


def check_dataset(dataset: Any, what: str) -> None:
    """Raises TypeError for what is no data set, ValueError for one without examples."""
    if isinstance(dataset, DataLoader):
        raise TypeError(
            f"the {what} is a DataLoader; expected the dataset in it, of which the trainer makes batches itself: pass "
            "loader.dataset, and data_collator=loader.collate_fn if that does more than stack"
        )
    if hasattr(dataset, "iloc"):
        raise TypeError(
            f"the {what} is a {type(dataset).__name__} of pandas, which is indexed by columns: pass "
            "datasets.Dataset.from_pandas(frame), tokenized by .map, or a list of dicts"
        )
    if isinstance(dataset, Mapping):
        raise TypeError(f"the {what} is {mapping_as_dataset(dataset)}")
    if isinstance(dataset, Dataset) and not hasattr(dataset, "__iter__") and not hasattr(dataset, "__len__"):
        raise TypeError(f"the {what}, a {type(dataset).__name__}, has no __len__: write one that counts its examples")
    if isinstance(dataset, (str, bytes)) or not (is_map_style(dataset) or hasattr(dataset, "__iter__")):
        raise TypeError(
            f"the {what} is a {type(dataset).__name__}; expected examples as a torch Dataset, a datasets.Dataset or a "
            "list of dicts" + ("; nabi.load_data(path) reads a file" if isinstance(dataset, str) else "")
        )
    if is_map_style(dataset) and len(dataset) == 0:
        raise ValueError(f"the {what} has no examples: look at the file or the filter that it came from")


def mapping_as_dataset(given: Mapping[str, Any]) -> str:
    """What is said of a dict in the place of a data set: several sets, or the columns of one."""
    names = ", ".join(map(str, given))
    if any(name in given for name in ("input_ids", "input_values", "pixel_values", "labels")):
        return (
            f"a {type(given).__name__} of the columns {names}; expected rows: pass "
            "datasets.Dataset.from_dict({**encodings, 'labels': labels}), or a torch Dataset whose __getitem__ returns "
            "a row as a dict"
        )
    return f"a dict of {names}: pass one of them, as data['train']"


def check_learning(model: nn.Module) -> None:
    """Raises ValueError if no weight of a model learns."""
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ValueError(
            f"no weight of {type(model).__name__} learns, all have requires_grad=False: freeze a part only, as in "
            "for weight in model.base_model.parameters(): weight.requires_grad = False"
        )


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
