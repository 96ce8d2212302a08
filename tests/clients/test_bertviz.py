"""bertviz: head view and model view. neuron_view has models of its own inside, which know no transformers.

pip takes bertviz with boto3 and botocore, of which the views need nothing: `pip install --no-deps bertviz` will do.
"""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["bertviz_views"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_its_views_show_the_same_attention(both: Both) -> None:
    found, expected = both("bertviz_views")
    documented = found.pop("documented")
    assert expected.pop("documented") == []  # left empty by transformers 5, unless attn_implementation is "eager"
    assert_same(found, expected)
    assert_same(documented, found["attention"])
    assert "나비" in "".join(found["heads"][0]["left"])
