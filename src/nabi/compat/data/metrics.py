"""The metrics of GLUE and XNLI by task."""

from __future__ import annotations

from typing import Any

import numpy as np


def simple_accuracy(preds: Any, labels: Any) -> float:
    return float((np.asarray(preds) == np.asarray(labels)).mean())


def acc_and_f1(preds: Any, labels: Any) -> dict[str, float]:
    from sklearn.metrics import f1_score

    accuracy, f1 = simple_accuracy(preds, labels), float(f1_score(y_true=labels, y_pred=preds))
    return {"acc": accuracy, "f1": f1, "acc_and_f1": (accuracy + f1) / 2}


def pearson_and_spearman(preds: Any, labels: Any) -> dict[str, float]:
    from scipy.stats import pearsonr, spearmanr

    pearson, spearman = float(pearsonr(preds, labels)[0]), float(spearmanr(preds, labels)[0])
    return {"pearson": pearson, "spearmanr": spearman, "corr": (pearson + spearman) / 2}


def glue_compute_metrics(task_name: str, preds: Any, labels: Any) -> dict[str, float]:
    """preds and labels of one length; an unknown task is a KeyError."""
    if len(preds) != len(labels):
        raise ValueError(f"{len(preds)} predictions, but {len(labels)} labels: give one for each")
    if task_name == "cola":
        from sklearn.metrics import matthews_corrcoef

        return {"mcc": float(matthews_corrcoef(labels, preds))}
    if task_name in ("mrpc", "qqp"):
        return acc_and_f1(preds, labels)
    if task_name == "sts-b":
        return pearson_and_spearman(preds, labels)
    names = {
        "mnli": "mnli/acc",
        "mnli-mm": "mnli-mm/acc",
        **dict.fromkeys(("sst-2", "qnli", "rte", "wnli", "hans"), "acc"),
    }
    if task_name not in names:
        raise KeyError(task_name)
    return {names[task_name]: simple_accuracy(preds, labels)}


def xnli_compute_metrics(task_name: str, preds: Any, labels: Any) -> dict[str, float]:
    if task_name != "xnli":
        raise KeyError(task_name)
    return {"acc": simple_accuracy(preds, labels)}
