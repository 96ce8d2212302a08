"""How long the README's first command takes, beside `import torch`, which is most of it.

    python benchmarks/first_command.py [--rounds 9]

Both run in fresh processes, in turns, so that a busy minute of the machine slows both; the first round, which
warms the disk cache, is not counted. The ratio of the medians should stay under 2.5.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

TEXT = "이 영화는 최고예요!"


def nabi_command() -> list[str]:
    """The installed script of this Python, else the same entry point without it."""
    script = shutil.which("nabi", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-c", "import sys; from nabi.cli import main; sys.exit(main())"]


def seconds(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=utf8_environment())
    taken = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return taken, done.stdout.strip()


def utf8_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    first = [*nabi_command(), "run", "sentiment-analysis", TEXT]
    torch = [sys.executable, "-c", "import torch"]
    times: dict[str, list[float]] = {"import torch": [], "first command": []}
    answer = ""
    for number in range(rounds + 1):
        for name, command in (("import torch", torch), ("first command", first)):
            taken, output = seconds(command)
            answer = output or answer
            if number:
                times[name].append(taken)
    print(answer)
    for name, taken_each in times.items():
        low, high = min(taken_each), max(taken_each)
        print(f"{name:14} median {statistics.median(taken_each):6.3f} s   ({low:.3f} to {high:.3f}, {rounds} runs)")
    print(f"ratio          {statistics.median(times['first command']) / statistics.median(times['import torch']):6.2f}")


if __name__ == "__main__":
    main()
