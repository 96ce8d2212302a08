"""The libraries that some metrics stand on, loaded when such a metric is asked for."""

from __future__ import annotations

import importlib
from typing import Any

PACKAGES = {"sklearn": "scikit-learn", "rouge_score": "rouge-score"}


def needed(module: str) -> Any:
    """The module; ImportError with the remedy if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        top = module.split(".")[0]
        raise ImportError(f'this metric needs {PACKAGES.get(top, top)}: pip install "nabi[train]"') from error
