"""Runs code written for `transformers` on nabi.

    python -m nabi.drop_in script.py [arguments]
    python -m nabi.drop_in -m module [arguments]
    python -m nabi.drop_in -c "code" [arguments]

or, in a notebook, `import nabi.drop_in` above the first import of transformers or of a library that needs it. From
then on `transformers` is nabi; an installed transformers is neither used nor changed.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from .compat.lending import lend

USAGE = "usage: python -m nabi.drop_in script.py [arguments]  |  -m module [arguments]  |  -c code [arguments]"
_OUR_FRAMES = (__file__, runpy.__file__, "<frozen runpy>", "<frozen importlib._bootstrap>")


def main(arguments: list[str]) -> int:
    """Run what the arguments name, as Python itself would; returns the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__ if arguments else USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    what, rest = arguments[0], arguments[1:]
    if what in ("-m", "-c") and not rest:
        print(f"{what} needs {'a module' if what == '-m' else 'code'}\n{USAGE}", file=sys.stderr)
        return 2
    if what == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        return _run(lambda: _execute(rest[0]))
    if what == "-m":
        sys.argv = rest
        sys.path.insert(0, "")
        return _run(lambda: runpy.run_module(rest[0], run_name="__main__", alter_sys=True))
    if not Path(what).exists():
        print(f"there is no script {what}\n{USAGE}", file=sys.stderr)
        return 2
    sys.argv = [what, *rest]
    sys.path.insert(0, str(Path(what).resolve().parent))
    return _run(lambda: runpy.run_path(what, run_name="__main__"))


def _execute(code: str) -> None:
    main_module = sys.modules["__main__"]
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    main_module.__dict__.update(names)
    exec(compile(code, "<string>", "exec"), main_module.__dict__)


def _run(start: Callable[[], Any]) -> int:
    """Run the user's code. If it fails, its own traceback is shown, without the frames that started it."""
    try:
        start()
    except Exception as error:
        _print_own(error)
        return 1
    return 0


def _print_own(error: BaseException) -> None:
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in _OUR_FRAMES:
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)


lend()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
