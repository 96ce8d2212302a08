"""From the outputs of a model to what a metric compares: classes, numbers, tags, texts, answers or losses.

Every reader gives (predictions, references) of equal length and raises a ValueError that says what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .prediction import EvalPrediction

NO_LABEL = -100


@dataclass(frozen=True)
class Context:
    """What belongs to the model and not to its outputs. causal: the output at a place is for the label at the next."""

    tokenizer: Any = None
    id2label: Mapping[int, str] | None = None
    causal: bool = False


def read_classes(given: EvalPrediction, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, labels), (n, length, labels), or classes, to classes (items,); places labelled -100 are left out.

    Float labels of the same shape as the logits mean several labels at once: 0 or 1 each, (n, labels).
    """
    outputs, labels = array(first(given.predictions), "predictions"), array(given.label_ids, "labels")
    if context.causal:
        outputs, labels = outputs[:, :-1], labels[:, 1:]
    if outputs.ndim == labels.ndim + 1 and outputs.shape[:-1] == labels.shape:
        return classes_of_logits(outputs, labels)
    if outputs.shape != labels.shape:
        raise ValueError(
            f"predictions of the shape {outputs.shape} do not fit labels of the shape {labels.shape}: one class per "
            "label is due, or one logit per label and class"
        )
    check_not_empty(labels)
    if labels.ndim == 2 and labels.dtype.kind == "f":
        return several_labels(outputs, labels)
    if outputs.dtype.kind == "f":
        if not np.equal(outputs, np.round(outputs)).all():
            raise ValueError(
                f"a prediction is the number {outputs[outputs != np.round(outputs)][0]:g}, and no class: measure a "
                "regression with 'mse', 'mae', 'pearson' or 'spearmanr'"
            )
        outputs = outputs.astype(int)
    kept = labelled(labels)
    return outputs[kept], labels[kept]


def read_classes_and_count(given: EvalPrediction, context: Context) -> tuple[np.ndarray, np.ndarray, int | None]:
    """As read_classes, and how many classes the model has, as far as its logits or id2label tell."""
    predictions, references = read_classes(given, context)
    logits = np.ndim(first(given.predictions)) > np.ndim(given.label_ids)
    count = np.shape(first(given.predictions))[-1] if logits else None
    return predictions, references, count or (None if context.id2label is None else len(context.id2label))


def classes_of_logits(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    check_not_empty(labels)
    count = logits.shape[-1]
    if count == 1:
        raise ValueError(
            "the model gives one number per item, and no classes: measure it with 'mse', 'mae', 'pearson' or "
            "'spearmanr', or load the model with num_labels=…"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"the label {labels.flat[0]!r} is no class number: give labels as ids 0 to {count - 1}, which "
            "Rows.with_labels makes of names"
        )
    kept = labelled(labels)
    outside = labels[kept][(labels[kept] < 0) | (labels[kept] >= count)]
    if outside.size:
        raise ValueError(f"the label {outside[0]} is outside of the model's {count} classes (0 to {count - 1})")
    return logits.argmax(-1)[kept], labels[kept]


def several_labels(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A label is predicted where its probability is above one half, so its logit above 0. Classes of 0 and 1 stay."""
    strange = labels[~np.isin(labels, (0, 1))]
    if strange.size:
        raise ValueError(f"with several labels per item each label is 0 or 1, but one is {strange[0]:g}")
    return (logits > 0).astype(int), labels.astype(int)


def read_numbers(given: EvalPrediction, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (n, 1) or (n,) and numbers (n,)."""
    outputs, labels = array(first(given.predictions), "predictions"), array(given.label_ids, "labels")
    outputs = outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if outputs.shape != labels.shape or outputs.ndim != 1:
        raise ValueError(
            f"one number per item is compared, but predictions have the shape {outputs.shape} and labels "
            f"{labels.shape}; a classifier is measured with 'accuracy' or 'f1'"
        )
    check_not_empty(labels)
    for name, values in (("predictions", outputs), ("labels", labels)):
        if values.dtype.kind not in "iufb":
            raise ValueError(f"{name} have {values[0]!r}, which is no number")
    return outputs.astype(np.float64), labels.astype(np.float64)


def read_tags(given: EvalPrediction, context: Context) -> tuple[list[list[str]], list[list[str]]]:
    """Logits (n, length, tags), ids (n, length) or lists of tags, to one list of tags per text, without -100."""
    if given.predictions is None or given.label_ids is None:
        raise ValueError("there are no predictions or no labels to measure by: does the evaluation set have labels?")
    if all(is_list_of_texts(each) for each in (*given.predictions, *given.label_ids)):
        predictions, references = [list(each) for each in given.predictions], [list(each) for each in given.label_ids]
        check_lengths(predictions, references)
        for number, (mine, theirs) in enumerate(zip(predictions, references, strict=True)):
            if len(mine) != len(theirs):
                raise ValueError(f"text {number} has {len(mine)} predicted tags, but {len(theirs)} labels")
        return predictions, references
    outputs, labels = array(first(given.predictions), "predictions"), array(given.label_ids, "labels")
    ids = outputs.argmax(-1) if outputs.ndim == 3 else outputs
    if ids.shape != labels.shape or labels.ndim != 2:
        raise ValueError(
            f"tags come as logits (texts, length, tags) with labels (texts, length), not as {outputs.shape} with "
            f"{labels.shape}"
        )
    check_not_empty(labels)
    if context.id2label is None:
        raise ValueError("entities are read from the names of tags: give id2label=…, as model.config.id2label")
    kept = labelled(labels)
    unknown = sorted({*np.unique(ids[kept]).tolist(), *np.unique(labels[kept]).tolist()} - set(context.id2label))
    if unknown:
        raise ValueError(f"the tag {unknown[0]} is not in id2label, which has {len(context.id2label)} tags")
    names = context.id2label
    return tuple(  # type: ignore[return-value]
        [[names[int(tag)] for tag in row[places]] for row, places in zip(rows, kept, strict=True)]
        for rows in (ids, labels)
    )


def read_texts(given: EvalPrediction, context: Context) -> tuple[list[str], list[Any]]:
    """Generated ids (n, length) and label ids (n, length) to texts; texts stay. A text may have several references."""
    predictions, references = first(given.predictions), given.label_ids
    if predictions is None or references is None:
        raise ValueError("there are no predictions or no references to measure by: does the evaluation set have them?")
    if isinstance(predictions, str) or isinstance(references, str):
        raise ValueError("one text is given where a list of texts is due, of predictions and of references alike")
    if is_list_of_texts(predictions) and all(isinstance(one, str) or is_list_of_texts(one) for one in references):
        check_lengths(predictions, references)
        return [text.strip() for text in predictions], [
            one.strip() if isinstance(one, str) else [text.strip() for text in one] for one in references
        ]
    if context.tokenizer is None:
        raise ValueError("ids are turned to text by a tokenizer: give tokenizer=… (the trainer's processing_class)")
    texts = [decoded(ids_of(given, which), context.tokenizer) for which in ("predictions", "label_ids")]
    check_lengths(*texts)
    return texts[0], texts[1]


def decoded(ids: np.ndarray, tokenizer: Any) -> list[str]:
    """Rows of ids to texts without special tokens; -100 fills up what a shorter row lacks."""
    rows = [row[row != NO_LABEL].tolist() for row in ids]
    return [text.strip() for text in tokenizer.batch_decode(rows, skip_special_tokens=True)]


def read_lengths(given: EvalPrediction, context: Context) -> tuple[np.ndarray, None]:
    """How many tokens were generated for each row, padding left out."""
    ids = ids_of(given, "predictions")
    pad = None if context.tokenizer is None else context.tokenizer.pad_token_id
    return ((ids != NO_LABEL) & (ids != (NO_LABEL if pad is None else pad))).sum(-1), None


def ids_of(given: EvalPrediction, which: str) -> np.ndarray:
    ids = array(first(getattr(given, which)), which)
    if ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise ValueError(
            f"generated text is measured, but {which} have the shape {ids.shape} of {ids.dtype}: set "
            "predict_with_generate=True in Seq2SeqTrainingArguments, so that the model writes"
        )
    check_not_empty(ids)
    return ids


def read_answers(given: EvalPrediction, context: Context) -> tuple[list[Any], list[Any]]:
    """[{"id", "prediction_text"}] and [{"id", "answers": {"text": […]}}] in the order of the references."""
    for name, rows, field in (
        ("predictions", given.predictions, "prediction_text"),
        ("references", given.label_ids, "answers"),
    ):
        if isinstance(rows, tuple | np.ndarray) or not all(isinstance(row, Mapping) for row in rows):
            raise ValueError(
                f"answers are compared as text, so {name} are a list of {{'id': …, '{field}': …}}: turn start and end "
                "logits into texts first"
            )
        for number, row in enumerate(rows):
            lacking = {"id", field} - set(row)
            if lacking:
                raise ValueError(f"{name}[{number}] lacks {', '.join(sorted(lacking))}; it has {', '.join(row)}")
            if not isinstance(row.get("prediction_text", ""), str):
                raise ValueError(
                    f"{name}[{number}] has the prediction_text {row['prediction_text']!r}, which is no text"
                )
    check_lengths(given.predictions, given.label_ids)
    by_id = {row["id"]: row for row in given.predictions}
    missing = [row["id"] for row in given.label_ids if row["id"] not in by_id]
    if missing or len(by_id) < len(given.predictions):
        raise ValueError(
            f"no prediction for the question {missing[0]!r}" if missing else "an id is predicted more than once"
        )
    return [by_id[row["id"]] for row in given.label_ids], list(given.label_ids)


def read_losses(given: EvalPrediction, context: Context) -> tuple[np.ndarray, None]:
    """The losses of an evaluation, (n,)."""
    if given.losses is None:
        raise ValueError('perplexity is made of losses: set include_for_metrics=["loss"], or give losses=…')
    losses = np.atleast_1d(array(given.losses, "losses")).ravel()
    check_not_empty(losses)
    return losses, None


Reader = Callable[[EvalPrediction, Context], tuple[Any, ...]]


# ---------------------------------------------------------------- shapes and checks


def first(values: Any) -> Any:
    """The logits: models that give more (hidden states, a cache) give them first."""
    return values[0] if isinstance(values, tuple) and values and not isinstance(values[0], str) else values


def array(values: Any, name: str) -> np.ndarray:
    """Numbers, tensors or lists as an array; tensors may lie on a device."""
    if values is None:
        raise ValueError(f"there are no {name} to measure by: does the evaluation set have them?")
    if isinstance(values, tuple) and values and not np.isscalar(values[0]):
        raise ValueError(f"{name} are {len(values)} arrays: a metric by name compares one; write a function for more")
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} are rows of different lengths: fill them up with {NO_LABEL}") from error


def labelled(labels: np.ndarray) -> np.ndarray:
    kept: np.ndarray = labels != NO_LABEL if labels.dtype.kind in "if" else np.ones(labels.shape, dtype=bool)
    if not kept.any():
        raise ValueError(f"every label is {NO_LABEL}, so nothing is left to measure")
    return kept


def is_list_of_texts(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind == "U"
    return isinstance(values, list | tuple) and all(isinstance(each, str) for each in values)


def check_lengths(predictions: Any, references: Any) -> None:
    if len(predictions) != len(references):
        raise ValueError(f"there are {len(predictions)} predictions, but {len(references)} references")
    check_not_empty(references)


def check_not_empty(references: Any) -> None:
    if not (references.size if isinstance(references, np.ndarray) else len(references)):
        raise ValueError("there is nothing to measure: predictions and references are empty")
