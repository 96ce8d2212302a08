"""How many of the scripts run, on nabi and on versions of transformers, side by side.

    python -m tests.scripts.run                                  on nabi
    python -m tests.scripts.run --with nabi --with PYTHON …      also on the transformers that PYTHON has
    python -m tests.scripts.run korean                           only scripts with "korean" in their path

PYTHON needs torch, numpy, accelerate and pillow too. Nothing is downloaded: the models are make_cache.py's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
NABI = "nabi"
ENVIRONMENT = {
    **{"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "USE_TF": "0"},
    **{"TRANSFORMERS_VERBOSITY": "error", "WANDB_DISABLED": "true", "CUDA_VISIBLE_DEVICES": ""},
}


def find_scripts(pattern: str = "") -> list[Path]:
    """The scripts of all areas whose path has `pattern` in it."""
    return [path for path in sorted(HERE.glob("*/*.py")) if pattern in path.relative_to(HERE).as_posix()]


def name_of(script: str | Path) -> str:
    return Path(script).relative_to(HERE).as_posix()


def run(scripts: list[Path], where: str, home: Path) -> tuple[str, dict[str, str | None]]:
    """Runs scripts on nabi or with a Python, with the models below `home`.

    Returns what they ran on, and each script's error (the traceback) or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.jsonl")
        python = (
            [sys.executable, str(HERE / "host.py"), "--drop-in"] if where == NABI else [where, str(HERE / "host.py")]
        )
        environment = {**os.environ, **ENVIRONMENT, "HF_HOME": str(home)}
        done = subprocess.run(
            [*python, str(results), *map(str, scripts)], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"the scripts could not be run with {where}:\n{done.stderr[-3000:]}")
        first, *rest = map(json.loads, results.read_text(encoding="utf-8").splitlines())
    return first["ran_on"], {name_of(line["script"]): line["error"] for line in rest}


def last_line(error: str) -> str:
    return (error.strip().splitlines() or [""])[-1][:200]


def print_table(columns: dict[str, dict[str, str | None]]) -> None:
    """Shares by area, then each failure with its last line."""
    names = list(next(iter(columns.values())))
    areas = sorted({name.split("/")[0] for name in names})
    print(f"{'':16}" + "".join(f"{title:>22}" for title in columns))
    for area in [*areas, ""]:
        chosen = [name for name in names if name.startswith(f"{area}/" if area else "")]
        cells = []
        for errors in columns.values():
            good = sum(errors[name] is None for name in chosen)
            cells.append(f"{good} of {len(chosen)}" + ("" if area else f" = {good / len(chosen):.1%}"))
        print(f"{area or 'all':16}" + "".join(f"{cell:>22}" for cell in cells))
    for title, errors in columns.items():
        for name, error in errors.items():
            if error is not None:
                print(f"\n{title}: {name}\n    {last_line(error)}")


def main() -> None:
    from .make_cache import make_cache

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="places", action="append", metavar="nabi|PYTHON")
    parser.add_argument("pattern", nargs="?", default="")
    options = parser.parse_args()
    scripts = find_scripts(options.pattern)
    if not scripts:
        parser.error(f"no script has {options.pattern!r} in its path")
    with tempfile.TemporaryDirectory() as folder:
        home = make_cache(Path(folder))
        print_table(dict(run(scripts, place, home) for place in options.places or [NABI]))


if __name__ == "__main__":
    main()
