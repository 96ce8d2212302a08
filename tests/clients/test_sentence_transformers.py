"""sentence-transformers: vectors, training in both ways, a cross encoder.

Its ONNX and OpenVINO backends are optimum's, and its multimodal models are of families that nabi has not.
"""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["sentence_vectors"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_vectors_similarities_and_trainings_are_the_same(both: Both) -> None:
    found, expected = both("sentence_vectors")
    assert_same(found, expected)
    assert_same(found["fit, reloaded"], found["fit"])
    assert_same(found["checkpoint"], found["trained"])
    assert found["losses"][-1] < found["losses"][0]
    assert found["norms"] == pytest.approx([1.0] * 5)
