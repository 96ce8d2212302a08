"""Of the areas that nabi covers no public name of 4.57.1 or 5.23.0 is missing, and the page says what is so."""

from __future__ import annotations

from . import coverage


def test_no_public_name_is_missing_and_the_page_was_counted_now() -> None:
    assert not any(coverage.missing().values())
    assert coverage.page() == coverage.PAGE.read_text(encoding="utf-8"), "run python -m tests.compat.coverage --write"
