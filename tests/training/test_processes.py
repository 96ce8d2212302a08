"""Processes of one training wait for the first of them, and for its errors too."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from nabi.training.arguments import TrainingArguments
args = TrainingArguments("out", use_cpu=True, ddp_timeout=60)
for error in (None, RuntimeError("broken")):
    file = os.path.join(sys.argv[1], str(error))
    try:
        with args.main_process_first(desc="map"):
            if args.process_index == 0:
                open(file, "w").close()
                if error:
                    raise error
            else:
                print("found" if os.path.exists(file) else "too early")
    except RuntimeError as caught:
        print(caught)
"""


def test_the_main_process_works_first_and_lets_the_others_go_if_it_fails(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {
        **os.environ,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "OMP_NUM_THREADS": "1",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            env={**place, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    said = [one.communicate(timeout=90)[0].split() for one in running]
    assert said == [["broken"], ["found", "found"]]
