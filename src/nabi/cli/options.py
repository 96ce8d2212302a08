"""What `nabi run` was asked for: its options, and which of them go together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import say


class Problem(Exception):
    """Why the command cannot be done, in the user's language; code 2 if the command itself is wrong."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Options:
    model: str | None = None
    revision: str | None = None
    device: str | None = None
    batch_size: int | None = None
    top_k: int | None = None
    truncate: bool = False
    offline: bool = False
    json: bool = False
    column: tuple[str, ...] = ()
    question: str | None = None
    context: str | None = None
    candidate_labels: str | None = None
    multi_label: bool = False
    hypothesis_template: str | None = None
    max_new_tokens: int | None = None
    more: tuple[str, ...] = ()  # name=value
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    engine: str = "local"
    workers: int | None = None

    def settings(self) -> dict[str, Any]:
        """What the pipeline is to do, in its own names."""
        labels = self.candidate_labels
        given = {
            "truncation": self.truncate or None,
            "top_k": self.top_k,
            "candidate_labels": None if labels is None else [label.strip() for label in labels.split(",")],
            "multi_label": self.multi_label or None,
            "hypothesis_template": self.hypothesis_template,
            "max_new_tokens": self.max_new_tokens,
        }
        return {name: value for name, value in given.items() if value is not None} | dict(map(setting, self.more))

    def loading(self, task: str) -> dict[str, Any]:
        """Everything that `pipeline` is given beside the task."""
        from ..pipelines.tasks import find_task

        default, device = find_task(task).default, self.device
        return {
            "model": self.model or (default and default.embedded and str(default.embedded)),
            "revision": self.revision,
            "device": int(device) if device is not None and device.lstrip("-").isdigit() else device,
            "batch_size": self.batch_size,
            "model_kwargs": {"local_files_only": True} if self.offline else {},
            **self.settings(),
        }


def setting(text: str) -> tuple[str, Any]:
    """name=value, the value as JSON if it is such, else a text."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name.isidentifier():
        raise Problem(say("bad_setting", text=text))
    try:
        return name, json.loads(value)
    except ValueError:
        return name, {"True": True, "False": False, "None": None}.get(value, value)


def check_options(texts: list[str], file: Path | None, options: Options) -> None:
    if texts and file is not None:
        raise Problem(say("texts_and_file"))
    if options.column and (file is None or str(file) == "-"):
        raise Problem(say("column_of_no_file"))
    if options.engine not in ("local", "ray"):
        raise Problem(say("no_engine", name=options.engine))
    if options.workers is not None and options.engine != "ray":
        raise Problem(say("workers_of_ray"))
    out = options.out
    if out is None:
        for name in ("resume", "overwrite", "engine"):
            if getattr(options, name) not in (False, "local"):
                raise Problem(say("needs_out", name=f"--{name}"))
    elif out.suffix.lower() not in (".jsonl", ".csv"):
        raise Problem(say("kind_of_out", path=str(out)))
    elif options.resume and options.overwrite:
        raise Problem(say("resume_and_overwrite"))
    elif out.exists() and not (options.resume or options.overwrite):
        raise Problem(say("out_held", path=str(out)))
