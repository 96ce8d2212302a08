"""evaluate: a metric from a local file, and the evaluator around a pipeline."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["evaluate_metric"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_a_metric_and_the_evaluator_give_the_same(both: Both) -> None:
    found, expected = both("evaluate_metric")
    by_pipeline = found.pop("by_pipeline")
    assert expected.pop("by_pipeline") is None  # evaluate 0.4.6 cannot take a pipeline on transformers 5
    assert_same(found, expected)
    assert by_pipeline == found["by_parts"]
