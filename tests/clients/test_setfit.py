"""SetFit: a classifier from eight sentences."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["setfit_few"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_it_learns_the_same_from_few_sentences(both: Both) -> None:
    found, expected = both("setfit_few")
    assert_same(found, expected, within=1e-3)
    assert found["again"] == found["shares"]
