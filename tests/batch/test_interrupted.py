"""A job that is killed at any moment, taken up again until it is done, leaves the file of one that was not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nabi.cli import main
from nabi.embedded import SENTIMENT

RECORDS = 4000
NABI = [sys.executable, "-c", "import sys; from nabi.cli import main; sys.exit(main())", "run", "sentiment-analysis"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def arguments(source: Path, out: Path) -> list[str]:
    return [
        "--file",
        str(source),
        "--column",
        "review",
        "--out",
        str(out),
        "--model",
        str(SENTIMENT),
        "--batch-size",
        "4",
    ]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_killed_at_random_moments_no_record_is_lost_or_there_twice(tmp_path: Path, kind: str) -> None:
    chance = random.Random(7)
    source = tmp_path / "in.csv"
    words = ["재미있다", "지루했어요", 'a "great" film', "boring,\nreally", "최고"]
    rows = (" ".join(chance.choices(words, k=chance.randint(1, 6))).replace('"', '""') for _ in range(RECORDS))
    source.write_text("id,review\n" + "".join(f'{number},"{row}"\n' for number, row in enumerate(rows)), "utf-8")
    whole, out = tmp_path / f"whole.{kind}", tmp_path / f"o.{kind}"
    subprocess.run([*NABI, *arguments(source, whole)], check=True, **QUIET)  # type: ignore[call-overload]
    for turn in range(5):
        before = out.stat().st_size if out.exists() else 0
        job = subprocess.Popen([*NABI, *arguments(source, out), "--resume"], **QUIET)  # type: ignore[call-overload]
        while job.poll() is None and (not out.exists() or out.stat().st_size <= before):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.15))
        job.send_signal(signal.SIGINT if turn == 2 else signal.SIGKILL)
        job.wait()
        assert whole.read_bytes().startswith(out.read_bytes()), "what is written is the beginning of the whole"
    assert 0 < out.stat().st_size < whole.stat().st_size, "the kills came too late to show anything"
    with out.open("ab") as half:
        half.write(b'{"id": "17", "rev')  # as a machine that loses its power may leave it
    subprocess.run([*NABI, *arguments(source, out), "--resume"], check=True, **QUIET)  # type: ignore[call-overload]
    assert out.read_bytes() == whole.read_bytes()


def test_an_interrupt_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr("nabi.batch.local.results_of", interrupted)
    source = tmp_path / "in.csv"
    source.write_text("review\ngood\n")
    assert main(["run", "sentiment-analysis", *arguments(source, tmp_path / "o.csv")]) == 130
    assert "--resume goes on with it" in capsys.readouterr().err
