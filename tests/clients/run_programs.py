"""Runs programs one after the other: `python [-m nabi.drop_in] run_programs.py NAME…`, each in a folder."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


def main(names: list[str]) -> None:
    sys.path.insert(0, str(PROGRAMS))
    here = Path.cwd()
    for name in names:
        (here / name).mkdir()
        os.chdir(here / name)
        try:
            runpy.run_path(str(PROGRAMS / f"{name}.py"), run_name="__main__")
        except BaseException:
            Path("error.txt").write_text(traceback.format_exc(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
