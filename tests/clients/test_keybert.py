"""KeyBERT: on sentence-transformers, and on a pipeline."""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["keybert_words"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_it_finds_the_same_words(both: Both) -> None:
    found, expected = both("keybert_words")
    assert_same(found, expected)
    assert found["words"][0][0] == "paris" and found["words"] == found["features"]
