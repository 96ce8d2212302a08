"""Code in repositories: nabi executes none of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NoReturn

REFUSED = "nabi executes nothing of a repository"


def get_class_from_dynamic_module(class_reference: str, pretrained_model_name_or_path: Any, **_: Any) -> NoReturn:
    raise ValueError(
        f"{REFUSED}, so {class_reference!r} of {pretrained_model_name_or_path} is not loaded: copy its code beside "
        "yours, import it, and register it (AutoConfig.register, AutoModel.register)"
    )


get_cached_module_file = get_class_in_module = get_imports = get_class_from_dynamic_module


def resolve_trust_remote_code(*_: Any, **__: Any) -> bool:
    """Never."""
    return False


def custom_object_save(*_: Any, **__: Any) -> list[str]:
    """Code is not saved beside a checkpoint, as none would be executed from there."""
    return []


def get_relative_import_files(module_file: str | os.PathLike[str]) -> list[str]:
    """The files beside a module that it imports by `from .name import …`, and those that they import."""
    pending, found = [Path(module_file)], []
    while pending:
        file = pending.pop()
        for name in re.findall(r"^\s*from\s+\.(\w+)\s+import", file.read_text(encoding="utf-8"), re.MULTILINE):
            beside = file.parent / f"{name}.py"
            if str(beside) not in found and beside.is_file():
                found.append(str(beside))
                pending.append(beside)
    return found
