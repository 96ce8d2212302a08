"""Whether two programs found the same."""

from __future__ import annotations

from typing import Any

import pytest


def assert_same(found: Any, expected: Any, within: float = 1e-4, where: str = "") -> None:
    """Numbers within a relative or absolute distance, everything else equal."""
    assert type(found) is type(expected) or {type(found), type(expected)} == {int, float}, where
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name, value in expected.items():
            assert_same(found[name], value, within, f"{where}/{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, value in enumerate(expected):
            assert_same(found[number], value, within, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=within, abs=within, nan_ok=True), where
    else:
        assert found == expected, where
