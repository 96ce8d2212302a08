"""args.main_process_first: the first process works, the others wait, and an error of the first one frees them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
import torch.distributed
from nabi.training.arguments.training_arguments import TrainingArguments
child = os.fork()
os.environ["RANK"] = os.environ["LOCAL_RANK"] = "0" if child else "1"
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
                print("found" if os.path.exists(file) else "too early", flush=True)
    except RuntimeError as caught:
        print(caught, flush=True)
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
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
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], env=place, capture_output=True, text=True, timeout=90
    )
    assert sorted(done.stdout.split()) == ["broken", "found", "found"], done.stderr
