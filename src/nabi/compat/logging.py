"""`transformers.logging` over Python's: how much nabi says, and whether it shows bars.

Levels are those of Python's `logging`; they are set on the logger `nabi`, above those of all its modules.
"""

from __future__ import annotations

import functools
import logging as python_logging
import os
import sys
from logging import CRITICAL as CRITICAL
from logging import DEBUG as DEBUG
from logging import ERROR as ERROR
from logging import FATAL as FATAL
from logging import INFO as INFO
from logging import NOTSET as NOTSET
from logging import WARNING as WARNING
from logging import Handler, Logger
from logging import captureWarnings as captureWarnings
from typing import Any

from tqdm.auto import tqdm as _tqdm

WARN = WARNING
LIBRARY = "nabi"
log_levels = {
    **{"detail": DEBUG, "debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR, "critical": CRITICAL},
}
_bars = True
_own_handler: Handler | None = None


def _root() -> Logger:
    """The logger above nabi's, with a handler that writes to standard error; the level TRANSFORMERS_VERBOSITY says."""
    global _own_handler
    logger = python_logging.getLogger(LIBRARY)
    if _own_handler is None:
        _own_handler = python_logging.StreamHandler()
        logger.addHandler(_own_handler)
        logger.propagate = False
        asked = os.environ.get("TRANSFORMERS_VERBOSITY", "warning").lower()
        logger.setLevel(log_levels.get(asked, WARNING))
    return logger


def get_logger(name: str | None = None) -> Logger:
    """A logger that obeys the verbosity: one below `nabi`, whatever its name; without a name, that of `nabi` itself.

    It also has `warning_once`, `info_once` and `warning_advice`.
    """
    root = _root()
    if name is None or name == LIBRARY:
        return root
    if name.partition(".")[0] == "transformers":
        return root.getChild(name.partition(".")[2]) if "." in name else root
    return python_logging.getLogger(name)


def warning_once(self: Logger, message: object, *args: Any, **options: Any) -> None:
    """A warning that is said once for each text."""
    _once(self, WARNING, message, *args, **options)


def info_once(self: Logger, message: object, *args: Any, **options: Any) -> None:
    _once(self, INFO, message, *args, **options)


@functools.cache
def _once(logger: Logger, level: int, message: object, *args: Any, **options: Any) -> None:
    logger.log(level, message, *args, **options)


def warning_advice(self: Logger, *args: Any, **options: Any) -> None:
    """A warning, unless TRANSFORMERS_NO_ADVISORY_WARNINGS is set."""
    if not os.environ.get("TRANSFORMERS_NO_ADVISORY_WARNINGS"):
        self.warning(*args, **options)


for _method in (warning_once, info_once, warning_advice):  # where code that asks for any logger expects them
    setattr(Logger, _method.__name__, _method)


# --- how much ------------------------------------------------------------------------------------------------------


def get_verbosity() -> int:
    return _root().getEffectiveLevel()


def set_verbosity(verbosity: int) -> None:
    _root().setLevel(verbosity)


def set_verbosity_debug() -> None:
    set_verbosity(DEBUG)


def set_verbosity_info() -> None:
    set_verbosity(INFO)


def set_verbosity_warning() -> None:
    set_verbosity(WARNING)


def set_verbosity_error() -> None:
    set_verbosity(ERROR)


def get_log_levels_dict() -> dict[str, int]:
    return log_levels


# --- where to ------------------------------------------------------------------------------------------------------


def add_handler(handler: Handler) -> None:
    _root().addHandler(handler)


def remove_handler(handler: Handler) -> None:
    _root().removeHandler(handler)


def enable_default_handler() -> None:
    root = _root()
    assert _own_handler is not None
    root.addHandler(_own_handler)


def disable_default_handler() -> None:
    root = _root()
    assert _own_handler is not None
    root.removeHandler(_own_handler)


def enable_propagation() -> None:
    _root().propagate = True


def disable_propagation() -> None:
    _root().propagate = False


def enable_explicit_format() -> None:
    """Say the level, the file and the time before each message."""
    form = python_logging.Formatter("[%(levelname)s|%(filename)s:%(lineno)s] %(asctime)s >> %(message)s")
    for handler in _root().handlers:
        handler.setFormatter(form)


def reset_format() -> None:
    for handler in _root().handlers:
        handler.setFormatter(None)


# --- bars ----------------------------------------------------------------------------------------------------------


def tqdm(*args: Any, **options: Any) -> Any:
    """A bar, unless bars are switched off."""
    return _tqdm(*args, **{**options, "disable": options.get("disable", False) or not _bars, "file": sys.stderr})


def is_progress_bar_enabled() -> bool:
    return _bars


def enable_progress_bar() -> None:
    """Show bars while files are downloaded, as is the default."""
    _show_bars(True)


def disable_progress_bar() -> None:
    _show_bars(False)


def _show_bars(shown: bool) -> None:
    global _bars
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    _bars = shown
    (enable_progress_bars if shown else disable_progress_bars)()
