"""The command `nabi`."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (sys.argv if None) and return its exit code."""
    from .app import main as run_app

    return run_app(arguments)
