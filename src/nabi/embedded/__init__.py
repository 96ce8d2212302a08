"""The small Korean and English sentiment checkpoint that works with no network."""

from __future__ import annotations

from pathlib import Path

SENTIMENT: Path = Path(__file__).parent / "sentiment-ko-en"
