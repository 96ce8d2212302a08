"""lm-eval: a local task of each kind. GGUF files, quantised models and models over several devices are not nabi's."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["lm_eval_task"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_its_tasks_score_the_same(both: Both) -> None:
    found, expected = both("lm_eval_task")
    assert_same(found, expected)
    assert {name: len(task["answers"]) for name, task in found.items()} == dict.fromkeys(found, 3) and len(found) == 5
