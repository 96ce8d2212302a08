"""accelerate: a loop of one's own, with states and a model that are saved."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["accelerate_loop"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_a_loop_learns_the_same_saves_and_goes_back(both: Both) -> None:
    found, expected = both("accelerate_loop")
    assert_same(found, expected)
    assert found["is_a_model"] == "BertForSequenceClassification" and found["seen"] == 5
    assert sum(found["losses"][4:]) < sum(found["losses"][:4])
    assert found["again"] != found["after_first_epoch"]
