"""Metrics by name: what `compute_metrics="accuracy"` and `compute_metrics=["rouge", "bleu"]` stand for.

    metric("f1", average="macro")(eval_prediction)      {"f1": 0.91}
    compute("korquad", predictions, references)         {"exact_match": 70.2, "f1": 88.1}

Libraries are loaded when a metric that needs them is called; this module loads numpy alone.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from . import reading
from .prediction import EvalPrediction

__all__ = ["METRICS", "EvalPrediction", "Metric", "compute", "metric"]

# Name -> what it compares (reading.py), and the module and function that score it. A function that gives one number
# gives it under the name that was asked for.
METRICS: dict[str, tuple[reading.Reader, str, str]] = {
    "accuracy": (reading.read_classes, "classification", "accuracy"),
    **{
        f"{name}{'_' if average else ''}{average}": (reading.read_classes_and_count, "classification", name)
        for name in ("precision", "recall", "f1")
        for average in ("", "macro", "micro", "weighted")
    },
    "matthews_correlation": (reading.read_classes, "classification", "matthews_correlation"),
    "mse": (reading.read_numbers, "regression", "mse"),
    "mae": (reading.read_numbers, "regression", "mae"),
    "pearson": (reading.read_numbers, "regression", "pearson"),
    "pearsonr": (reading.read_numbers, "regression", "pearson"),
    "spearman": (reading.read_numbers, "regression", "spearman"),
    "spearmanr": (reading.read_numbers, "regression", "spearman"),
    "seqeval": (reading.read_tags, "entities", "seqeval"),
    "squad": (reading.read_answers, "answers", "squad"),
    "squad_v2": (reading.read_answers, "answers", "squad_v2"),
    "korquad": (reading.read_answers, "answers", "korquad"),
    "rouge": (reading.read_texts, "texts", "rouge"),
    "bleu": (reading.read_texts, "texts", "bleu"),
    "sacrebleu": (reading.read_texts, "texts", "bleu"),
    "chrf": (reading.read_texts, "texts", "chrf"),
    "exact_match": (reading.read_texts, "texts", "exact_match"),
    "gen_len": (reading.read_lengths, "regression", "mean_length"),
    "perplexity": (reading.read_losses, "regression", "perplexity"),
}
AVERAGED = ("precision", "recall", "f1")


@dataclass
class Metric:
    """One metric or several, as the trainer calls them. include_for_metrics: what they need in the EvalPrediction."""

    scorers: Mapping[str, Callable[..., float | dict[str, float]]]
    context: reading.Context
    include_for_metrics: tuple[str, ...] = ()
    _read: dict[reading.Reader, list[tuple[Any, ...]]] = field(default_factory=dict)

    def __call__(self, prediction: EvalPrediction, compute_result: bool = True) -> dict[str, float]:
        """The scores. With batch_eval_metrics the batches before the last come with compute_result=False, give nothing
        yet, and are counted in with the last one: only classes and texts are kept of them, no logits."""
        for reader in dict.fromkeys(METRICS[name][0] for name in self.scorers):
            self._read.setdefault(reader, []).append(reader(prediction, self.context))
        if not compute_result:
            return {}
        read = {reader: tuple(map(joined, zip(*parts, strict=True))) for reader, parts in self._read.items()}
        self._read.clear()
        scores: dict[str, float] = {}
        for name, scorer in self.scorers.items():
            given = scorer(*read[METRICS[name][0]])
            for key, value in (given if isinstance(given, dict) else {name: given}).items():
                scores[f"{name}_{key}" if key in scores else key] = value
        return scores


def metric(
    names: str | Sequence[str],
    *,
    tokenizer: Any = None,
    id2label: Mapping[int, str] | None = None,
    causal: bool = False,
    **options: Any,
) -> Metric:
    """The function that computes metrics by their names from an EvalPrediction.

    tokenizer: decodes what was generated (rouge, bleu, chrf, exact_match). id2label: names the tags (seqeval).
    causal: the model predicts the next token, so its outputs are compared with the labels one place on.
    options: of the metrics themselves, as average="macro", rouge_tokenize="syllable", bleu_tokenize="char". Where two
    metrics give the same key, the second one's carries its name: korquad_f1.

    ValueError for a name that is not there, TypeError for an option that none of the metrics has.
    """
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not chosen:
        raise ValueError("no metric is named")
    functions = {name: function_of(name) for name in chosen}
    taken = {name: options_of(function) - set(fixed_by(name)) for name, function in functions.items()}
    known = sorted(set().union(*taken.values()))
    for option in options:
        if option not in known:
            raise TypeError(
                f"{', '.join(chosen)} takes no option {option!r}" + near(option, known, f"it takes {', '.join(known)}")
            )
    labels = None if id2label is None else {int(number): str(label) for number, label in id2label.items()}
    refuse_tags_as_classes(chosen, labels, options)
    scorers = {}
    for name, function in functions.items():
        own = {option: value for option, value in options.items() if option in taken[name]}
        scorers[name] = partial(function, **own, **fixed_by(name))
    include = ("loss",) if "perplexity" in chosen else ()
    return Metric(scorers, reading.Context(tokenizer, labels, causal), include)


def compute(
    name: str | Sequence[str], predictions: Any = None, references: Any = None, *, losses: Any = None, **options: Any
) -> dict[str, float]:
    """Scores without a trainer: classes, numbers, texts, lists of tags, or answers, beside what they should be.

    compute("accuracy", [0, 1], [0, 0]); compute("perplexity", losses=[2.1, 1.9]). options: as metric() takes them.
    """
    return metric(name, **options)(EvalPrediction(predictions, references, losses=losses))


def function_of(name: str) -> Callable[..., Any]:
    if name not in METRICS:
        raise ValueError(
            f"there is no metric {name!r}" + near(name, sorted(METRICS), f"there are {', '.join(METRICS)}")
        )
    _, module, function = METRICS[name]
    scorer: Callable[..., Any] = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return scorer


def options_of(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}


def fixed_by(name: str) -> dict[str, str]:
    """f1_macro is f1 with average="macro"."""
    stem, _, average = name.partition("_")
    return {"average": average} if average and stem in AVERAGED else {}


def near(word: str, known: Sequence[str], otherwise: str) -> str:
    close = difflib.get_close_matches(str(word), known, 3, 0.6)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else f"; {otherwise}" if known else ""


def refuse_tags_as_classes(
    names: Sequence[str], id2label: Mapping[int, str] | None, options: Mapping[str, Any]
) -> None:
    """With the tags of entities, "f1" nearly always means whole entities, which is another number."""
    tagged = id2label is not None and any(label.startswith(("B-", "I-")) for label in id2label.values())
    for name in names:
        if tagged and name in AVERAGED and options.get("average") is None:
            raise ValueError(
                f"the labels are tags of entities: {name!r} of whole entities is given by 'seqeval'; for single tags "
                f"say '{name}_macro' or average=…"
            )


def joined(parts: Sequence[Any]) -> Any:
    """The batches as one."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    if isinstance(parts[0], list):
        return [row for part in parts for row in part]
    return parts[0]
