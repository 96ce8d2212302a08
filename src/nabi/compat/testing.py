"""What the example scripts of version 4 import from the tests' tools."""

from __future__ import annotations

import io
import logging
from types import TracebackType


class CaptureLogger:
    """`with CaptureLogger(logger) as captured:` keeps what a logger says; afterwards captured.out is the text."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.io = io.StringIO()
        self.sh = logging.StreamHandler(self.io)
        self.out = ""

    def __enter__(self) -> CaptureLogger:
        self.logger.addHandler(self.sh)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.logger.removeHandler(self.sh)
        self.out = self.io.getvalue()

    def __repr__(self) -> str:
        return f"captured: {self.out}\n"
