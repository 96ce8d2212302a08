"""Runs scripts, each in a fork of this process, which has imported what they import. Called by run.py, with any Python.

    PYTHON host.py RESULTS.jsonl SCRIPT …            on the transformers that this Python has
    PYTHON host.py --drop-in RESULTS.jsonl SCRIPT …  on nabi

A script has its own process, empty folder and seed, but pays for no import again. RESULTS gets a line per script; the
first says what they ran on. Forks are there on Linux and macOS.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import random
import runpy
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 120
# What an optimizer and a Trainer import when they are first used: two seconds that no script need spend again.
IMPORTED_LATE = ("torch._dynamo", "accelerate", "matplotlib.figure")


def host(results: Path, scripts: list[Path], title: str) -> None:
    with results.open("w", encoding="utf-8") as file:
        print(json.dumps({"ran_on": title}), file=file, flush=True)
        for script in scripts:
            print(json.dumps(in_a_fork(script), ensure_ascii=False), file=file, flush=True)


def import_for_all(scripts: list[Path]) -> None:
    """What a script cannot import here, it will fail to import itself."""
    for name in IMPORTED_LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for script in scripts:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                with contextlib.suppress(Exception):
                    module = importlib.import_module(node.module)
                    for alias in node.names:
                        getattr(module, alias.name)


def in_a_fork(script: Path) -> dict[str, Any]:
    """{"script", "seconds", "error": the traceback or None}"""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output.txt")
        if not (child := os.fork()):
            os._exit(run(script, Path(folder), output))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = output.read_text(encoding="utf-8", errors="replace")
    error = None if code == 0 else said if code == 1 else f"{said}\nended with {code} ({-code} is a signal)"
    return {"script": str(script), "seconds": round(time.perf_counter() - started, 2), "error": error}


def run(script: Path, folder: Path, output: Path) -> int:
    """In the child: 0, or 1 with the traceback in `output`."""
    stream = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    workplace = folder / "work"
    workplace.mkdir()
    os.chdir(workplace)
    signal.alarm(PATIENCE_SECONDS)
    seed()
    try:
        runpy.run_path(str(script), run_name="__main__")
    except BaseException:
        sys.stdout.flush()
        os.write(stream, traceback.format_exc().encode())
        return 1
    sys.stdout.flush()
    return 0


def seed() -> None:
    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)


def main(arguments: list[str]) -> None:
    sys.path.pop(0)  # this folder, whose areas have the names of libraries
    if on_nabi := arguments[0] == "--drop-in":
        importlib.import_module("nabi.drop_in")
        arguments = arguments[1:]
    transformers = importlib.import_module("transformers")
    results, *scripts = map(Path, arguments)
    import_for_all(scripts)
    host(results, scripts, "nabi" if on_nabi else f"transformers {transformers.__version__}")


if __name__ == "__main__":
    main(sys.argv[1:])
