"""datasets: .map with a tokenizer, in one process and two, and the fingerprint that its cache goes by."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["datasets_map"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_a_tokenizer_maps_a_data_set_and_has_a_hash_that_stays(both: Both) -> None:
    found, expected = both("datasets_map")
    assert_same(found, expected)
    assert found["ids"] == found["iterable"]
    assert all(value is True for name, value in found.items() if "hash" in name or "fingerprint" in name)
