"""How a program hands back what it found, and says whose `transformers` it ran on."""

from __future__ import annotations

import json
import sys
from typing import Any


def answer(**found: Any) -> None:
    """Write result.json in the current folder. Tensors and arrays become lists."""
    files = {getattr(module, "__file__", None) for name, module in sys.modules.items() if is_transformers(name)}
    found["files of transformers"] = sorted(file for file in files if file)[:3]
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump(found, file, default=lambda value: value.tolist(), ensure_ascii=False)


def is_transformers(name: str) -> bool:
    return name.partition(".")[0] == "transformers"
