"""Texts end to end, cut into blocks of one length."""

from __future__ import annotations

from collections.abc import Sequence


def blocks(rows: Sequence[Sequence[int]], length: int) -> list[list[int]]:
    """All ids in blocks of `length`; the rest at the end, which would fill no block, is one of its own."""
    ids = [one for row in rows for one in row]
    return [ids[start : start + length] for start in range(0, len(ids), length)]
