"""The log history, read for people: rows of evaluations, names of metrics, numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nabi.training.reports.log_history import as_metric_name, evaluations, readable_metrics, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0.69314, "0.6931"), (123.456789, "123.4568"), (12345.678, "12345.7"), (-0.5, "-0.5000"), (0.0, "0")],
        *[(5e-5, "5.00e-05"), (1e8, "1.00e+08"), (float("nan"), "nan"), (float("-inf"), "-inf"), (3, "3")],
        *[(np.float32(0.25), "0.2500"), (torch.tensor(0.5), "0.5000"), (np.int64(7), "7"), ("text", "text")],
        *[(True, "True"), (None, "None")],
    ],
)
def test_a_number_is_shown_as_people_compare_it(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        *[("eval_loss", "Validation Loss"), ("eval_f1_macro", "F1 Macro"), ("eval_정확도", "정확도")],
        *[("eval_news_loss", "News Loss"), ("perplexity", "Perplexity"), ("eval_rougeL", "RougeL")],
    ],
)
def test_a_metric_has_a_readable_name(name: str, readable: str) -> None:
    assert as_metric_name(name) == readable


def test_times_are_no_metrics() -> None:
    metrics = {"eval_loss": 1.0, "eval_runtime": 2.0, "eval_samples_per_second": 3.0, "epoch": 1.0, "total_flos": 4.0}
    assert readable_metrics(metrics) == {"Validation Loss": 1.0}


def test_a_row_has_the_loss_logged_by_then_and_all_sets_of_its_step() -> None:
    history = [
        {"eval_loss": 3.0, "step": 0, "epoch": 0},
        {"loss": 2.0, "step": 5, "epoch": 0.5},
        {"eval_a_loss": 1.0, "step": 10, "epoch": 1.0},
        {"eval_b_loss": 0.5, "step": 10, "epoch": 1.0},
        {"train_runtime": 1.0, "train_loss": 2.0, "step": 10, "epoch": 1.0},
    ]
    assert evaluations(history) == [
        {"Epoch": "0", "Step": 0, "Training Loss": "no log yet", "Validation Loss": 3.0},
        {"Epoch": "1", "Step": 10, "Training Loss": 2.0, "A Loss": 1.0, "B Loss": 0.5},
    ]
    assert evaluations([]) == evaluations(history[1:2]) == []
