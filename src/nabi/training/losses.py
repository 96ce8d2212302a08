"""How much each micro-batch counts in an update: by its tokens (or texts), so that one batch of 32 and four of 8 give
the same gradients (the loss of one that has few labels would weigh too much in a mean of means)."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nn.losses import IGNORED, next_token_loss
from .columns import LABELS, columns_of, unwrapped

if TYPE_CHECKING:
    from .trainer import Trainer

COUNT = "num_items_in_batch"
MAKES_DECODER_INPUTS = "prepare_decoder_input_ids_from_labels"  # such a model needs its labels to run


def shifts_labels(model: Any) -> bool:
    """Whether the model's loss takes each label for the position before it: the first one of a text counts nothing."""
    return getattr(unwrapped(model), "label_loss", None) is next_token_loss


def count_items(inputs: Any, label_names: list[str], shifted: bool) -> int:
    """How many labels of a micro-batch count; without labels, or where each text has values: its texts."""
    labels = next((inputs[name] for name in label_names if name in inputs), None)
    if isinstance(labels, Tensor) and labels.dim() > 0:
        if labels.is_floating_point():
            return len(labels)
        counted = labels[..., 1:] if shifted else labels
        return int((counted != IGNORED).sum())
    return batch_size_of(inputs) or 1


def batch_size_of(inputs: Any) -> int | None:
    """How many examples a batch has: the rows of its first tensor."""
    values = inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, (list, tuple)) else ()
    for value in values:
        if isinstance(value, Tensor) and value.dim() > 0:
            return len(value)
    return None


def uses_item_count(function: Callable[..., Any]) -> bool:
    """Whether a user's loss reads num_items_in_batch (itself, or to pass it on): then it has divided by it already."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return COUNT in inspect.signature(function).parameters
    names = {COUNT}
    if code.co_flags & inspect.CO_VARKEYWORDS:
        places = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        names.add(code.co_varnames[places])
    for step in dis.get_instructions(code):
        read = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if step.opname.startswith("LOAD") and names & {name for name in read if isinstance(name, str)}:
            return True
    return False


def takes_one(function: Callable[..., Any]) -> bool:
    """Whether a function has a parameter that must or may be given."""
    return bool(inspect.signature(function).parameters)


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function can be called with this keyword."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def loss_in(outputs: Any, inputs: Any, trainer: Trainer) -> Tensor:
    """The loss of a model's output. Raises ValueError if it has none."""
    if isinstance(outputs, Tensor):
        loss: Any = outputs if outputs.dim() == 0 else None
    elif isinstance(outputs, Mapping):
        loss = outputs.get("loss")
    else:
        loss = outputs[0] if outputs else None
    if not isinstance(loss, Tensor):
        fields = ", ".join(outputs) if isinstance(outputs, Mapping) else type(outputs).__name__
        raise ValueError(
            f"the model returned no loss: it was given {', '.join(inputs)} and returned {fields}. "
            + remedy_for_no_loss(inputs, trainer)
        )
    return loss


def remedy_for_no_loss(inputs: Any, trainer: Trainer) -> str:
    if "return_loss" in (trainer.accepted or ()):
        return "This model has one when it is asked for: let data_collator add return_loss=True to each batch"
    left_out = [name for name in columns_of(trainer.train_dataset) if name not in {*inputs, *LABELS}]
    named = f"one of the columns {', '.join(left_out)}, which it does not take" if left_out else "a column of them"
    wanted = " and ".join(trainer.label_names)
    remedy = f"It learns from {wanted}, as numbers (text and None are left out): rename {named}, or add one"
    if type(unwrapped(trainer.model)).__name__.endswith(("ForMaskedLM", "ForCausalLM", "LMHeadModel")):
        remedy += "; DataCollatorForLanguageModeling(tokenizer, mlm=…) makes them of the texts"
    return f"{remedy}. Or pass compute_loss_func"


def check_loss(loss: Any) -> Tensor:
    """What compute_loss or compute_loss_func returned, if it can be trained by; else TypeError."""
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return loss
    if isinstance(loss, Tensor):
        raise ValueError(f"the loss has shape {tuple(loss.shape)}; expected one number: take its mean()")
    if loss is None:
        remedy = "end it with return loss"
    elif isinstance(loss, float):
        remedy = "gradients go through the tensor, without .item()"
    else:
        remedy = "return outputs.loss, or (loss, outputs) only if return_outputs is True"
    found = "None" if loss is None else f"a {type(loss).__name__}"
    raise TypeError(f"compute_loss returned {found}; expected the loss as a tensor: {remedy}")


def loss_of_batch(trainer: Trainer, model: Any, inputs: Any, num_items: Any) -> tuple[Tensor, Any]:
    """(loss, outputs): by compute_loss_func, label smoothing or the model itself. The loss is the mean over the labels
    that count; with num_items their sum, divided by it."""
    if not isinstance(inputs, Mapping):
        raise TypeError(
            f"a batch is a {type(inputs).__name__}; the data_collator must return a dict such as "
            "{'input_ids': …, 'labels': …}, or a subclass's compute_loss must know what to do with it"
        )
    own, smooth = trainer.compute_loss_func, trainer.label_smoother
    labels = None
    given = inputs
    if (own is not None or smooth is not None) and "labels" in inputs:
        labels = inputs["labels"]
        if "decoder_input_ids" in inputs or not hasattr(unwrapped(trainer.model), MAKES_DECODER_INPUTS):
            given = {name: value for name, value in inputs.items() if name != "labels"}
    if not trainer.args.use_cache and "use_cache" in (trainer.accepted or ()):
        given = {"use_cache": False, **given}  # keys and values for a next token that does not come
    outputs = model(**given)
    if own is not None and takes(own, COUNT):
        loss = own(outputs, labels, **{COUNT: num_items})
        return (loss if num_items is None else loss * trainer.averaging_factor()), outputs
    if own is not None:
        loss = own(outputs, labels)
    elif smooth is not None and labels is not None:
        loss = smooth(outputs, labels, shift_labels=shifts_labels(trainer.model))
    else:
        loss = loss_in(outputs, inputs, trainer)
    if num_items is None:
        return loss, outputs
    items = count_items(inputs, trainer.label_names, shifts_labels(trainer.model))
    if not items:  # a mean over nothing: it weighs nothing
        return nothing_of(outputs, loss), outputs
    return loss * (trainer.averaging_factor() * items / max(float(num_items), 1.0)), outputs


def nothing_of(outputs: Any, loss: Tensor) -> Tensor:
    """Zero with gradients of zero, by way of what the model returned: DDP and FSDP wait for them in every process."""
    values = outputs.values() if isinstance(outputs, Mapping) else outputs if isinstance(outputs, tuple) else [outputs]
    answers = [value for value in values if isinstance(value, Tensor) and value.requires_grad and value is not loss]
    return sum(((answer * 0).sum() for answer in answers), loss.new_zeros(()))


class LabelSmoother:
    """Cross entropy with a share `epsilon` of each label spread over all classes (arXiv:1512.00567)."""

    def __init__(self, epsilon: float = 0.1, ignore_index: int = IGNORED) -> None:
        self.epsilon, self.ignore_index = epsilon, ignore_index

    def __call__(
        self, outputs: Any, labels: Tensor, shift_labels: bool = False, num_items_in_batch: Any = None
    ) -> Tensor:
        """The mean over all labels that count, or their sum by num_items_in_batch."""
        logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs[0]
        if labels.is_floating_point():
            raise ValueError("label_smoothing_factor needs classes as labels, but they are numbers: set it to 0")
        if shift_labels:
            labels = F.pad(labels, (0, 1), value=self.ignore_index)[..., 1:]
        classes = logits.shape[-1]
        total = F.cross_entropy(
            logits.reshape(-1, classes).float(),
            labels.reshape(-1),
            ignore_index=self.ignore_index,
            label_smoothing=self.epsilon,
            reduction="sum",
        )
        count = (labels != self.ignore_index).sum() if num_items_in_batch is None else num_items_in_batch
        return total / torch.as_tensor(count, device=total.device)
