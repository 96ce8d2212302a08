"""The same job on a local Ray cluster of two workers, one of which dies on the way."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nabi import batch
from nabi.embedded import SENTIMENT

try:
    import ray.data

    MISSING = False
except ImportError:
    MISSING = True

RECORDS = 12_000
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MISSING, reason='needs Ray Data: pip install "nabi[ray]"'),
    pytest.mark.skipif(os.name != "posix", reason="needs signals"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source") / "in.csv"
    rows = [f'{number},"{"정말 " * (number % 7)}재미있다, film {number}"\n' for number in range(RECORDS)]
    rows[70] = "70,\n"
    rows[5000] = "5000,a,b\n"
    source.write_text("id,review\n" + "".join(rows), encoding="utf-8")
    return source


def run(source: Any, out: Path, **options: Any) -> batch.Report:
    report = batch.run(
        source, "sentiment-analysis", model=str(SENTIMENT), column="review", out=out, batch_size=4, **options
    )
    assert isinstance(report, batch.Report)
    return report


def workers() -> set[int]:
    """The processes of Ray's that hold a pipeline, among those that this one started."""
    import psutil

    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            if any("MapWorker" in word for word in child.cmdline()):
                found.add(child.pid)
    return found


def test_the_output_is_the_local_engines_though_a_worker_is_killed(cluster: None, source: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    local = run(source, here)
    reports: list[batch.Report] = []
    job = threading.Thread(target=lambda: reports.append(run(source, there, engine="ray", workers=2)))
    job.start()
    while job.is_alive() and (not there.exists() or there.stat().st_size == 0):
        time.sleep(0.01)
    at_work = workers()
    killed = min(at_work)
    os.kill(killed, signal.SIGKILL)
    while job.is_alive() and len(workers() - {killed}) < 2:
        time.sleep(0.05)
    replaced = workers() - at_work
    job.join(timeout=120)
    assert len(at_work) == 2
    assert there.read_bytes() == here.read_bytes()
    assert (reports[0].records, reports[0].failed) == (local.records, local.failed) == (RECORDS, 2)
    assert replaced, "the job was over before the killed worker could be missed"


def test_what_one_engine_left_the_other_goes_on_with(cluster: None, source: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    run(source, whole)
    out = tmp_path / "out.csv"
    out.write_bytes(whole.read_bytes()[:150_003])
    report = run(source, out, engine="ray", resume=True)
    assert out.read_bytes() == whole.read_bytes()
    assert 0 < report.resumed < report.records == RECORDS
    assert run(source, out, engine="ray", resume=True).resumed == RECORDS


def test_lists_go_to_the_workers_and_what_cannot_go_is_told(cluster: None, tmp_path: Path) -> None:
    texts = [{"review": "재미있다"}, {"review": "boring"}]
    assert run(texts, tmp_path / "a.jsonl", engine="ray").records == 2
    run(texts, tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    with pytest.raises(TypeError, match=r"a generator cannot be sent to Ray's workers: give a file"):
        run((text for text in texts), tmp_path / "c.jsonl", engine="ray")


def test_a_mistake_in_the_settings_is_told_as_the_local_engine_does(
    cluster: None, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match="has no argument 'top_q'"):
        run(source, tmp_path / "o.jsonl", engine="ray", top_q=1)
    assert not (tmp_path / "o.jsonl").exists()
