"""What all tests share: no network, quiet libraries, and the incumbent as the oracle."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores: no threads beside them
    os.environ.setdefault("OMP_NUM_THREADS", "1")
